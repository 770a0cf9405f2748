"""The promise of a hook: whatever goes wrong in one of ours, the training goes on, and run.json says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Hook = TypeVar("Hook", bound=Callable[..., Any])


def guarded(hook: Hook) -> Hook:
    """Makes a method a hook that cannot raise into the training: its owner's `give_up` is told instead, which may say no."""

    @wraps(hook)
    def safe(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return hook(self, *arguments, **named)
        except Exception as error:
            if not self.give_up(hook.__name__.strip("_"), error):
                raise

    return safe  # type: ignore[return-value]  # the same signature, as `wraps` says


def warn_once(path: Any, where: str, error: BaseException) -> str:
    """Warns that the watching ended, and returns the sentence for run.json."""
    sentence = (
        f"something unexpected happened in gandiag's own hook ({where}: {type(error).__name__}: {error}): "
        "from then on nothing was captured; what step() was given is recorded on"
    )
    warnings.warn(
        f"gandiag: {sentence}. The training is not touched; please report this. The run: {path}",
        RuntimeWarning,
        stacklevel=4,
    )
    return sentence
