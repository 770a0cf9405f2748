"""Judges a run while it is going on: the writer thread asks, the training's thread hands each new finding over once."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

JUDGE_SECONDS = 2.0  # between two diagnoses while the run is going on
JUDGE_SHARE = 20  # a diagnosis is followed by a pause of so many times its own duration


class Judging:
    """Calls `judge(path)`, whose illnesses are each handed once to `on_finding`; does nothing without an `on_finding`."""

    def __init__(
        self, path: Path, judge: Callable[[Path], Any] | None, on_finding: Callable[[Any], None] | None
    ) -> None:
        self._path, self._judge, self._on_finding = path, judge or _Watched(), on_finding
        self._found: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._known: set[tuple[str, str]] = set()
        self._next = 0.0
        self.raised: Exception | None = None
        if on_finding is not None and judge is None:
            _import_diagnosis()

    def hurry(self) -> None:
        """Has the next look judge, however short ago the last one was."""
        self._next = 0.0

    def look(self) -> None:
        """Judges what was written so far, now and then; in the writer thread."""
        if self._on_finding is None or time.perf_counter() < self._next:
            return
        began = time.perf_counter()
        found = self._judge(self._path)
        for finding in getattr(found, "illnesses", found):
            told = (finding.check, str(finding.verdict))
            if told not in self._known:
                self._known.add(told)
                self._found.put(finding)
        ended = time.perf_counter()
        self._next = ended + max(JUDGE_SECONDS, JUDGE_SHARE * (ended - began))

    def hand_over(self) -> None:
        """Gives what was found to the callback; in the training's thread, so that it may stop the training."""
        while self._on_finding is not None and not self._found.empty():
            try:
                self._on_finding(self._found.get())
            except Exception as error:
                self.raised = error  # the user's own way to stop the training: no fault of a hook
                raise


def _import_diagnosis() -> None:
    """Loads what judging needs before a thread does: two threads that import at once can wait for each other for ever."""
    import gandiag

    for name in ("Watch", "load_run"):  # the package loads what a name needs when it is asked for it
        getattr(gandiag, name)


class _Watched:
    """Judges by the package's public door, reading on from the last look: recording itself must not import what reads its runs."""

    def __init__(self) -> None:
        self._watch: Any = None

    def __call__(self, path: Path) -> Any:
        if self._watch is None:
            import gandiag

            self._watch = gandiag.Watch(path)
        return self._watch.look()
