"""Watching: a run that is going on, judged again and again at a cost that does not grow with its length."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gandiag.diagnosis import CHECKS, Check, Diagnosis, diagnose
from gandiag.diagnosis.limits import Limits
from gandiag.run import Following


class Watch:
    """Judges one run directory each time `look` is called; reads only what was written since, and thins the long past out.

    The findings are those of `diagnose` on the whole run but for what single steps of its middle would show: those were seen when
    they were new, and the whole is judged at the end.
    """

    def __init__(
        self, path: str | os.PathLike[str], checks: Sequence[Check] = CHECKS, limits: Limits | None = None
    ) -> None:
        self._following, self._checks, self._limits = Following(path), checks, limits

    def look(self) -> Diagnosis:
        """Returns the diagnosis of the run as far as it is written; raises RunError where it cannot be read."""
        return diagnose(self._following.look(), self._checks, self._limits)
