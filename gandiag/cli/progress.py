"""The display of a training that is going on: rich on a terminal, one plain line a tick elsewhere, both on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gandiag.diagnosis.finding import Finding
from gandiag.errors import GandiagError, printable

if TYPE_CHECKING:
    from gandiag.training.loop import Progress

TERMINAL_TICK = 0.5  # seconds
PLAIN_TICK = 5.0
READING_SHARE = 0.05  # of the time goes into reading the run back at most, however long the run has become
SHOWN = {
    "D loss": "discriminator_loss",
    "G loss": "generator_loss",
    "|grad D|": "discriminator_gradient_norm",
    "|grad G|": "generator_gradient_norm",
    "AUC": "discriminator_auc",
    "modes": "modes_covered",
}


class Display:
    """Shows the numbers of the run directory, not of the training: it reads what is on the disk, at most every tick."""

    def __init__(self, steps: int, stream: TextIO | None = None, *, title: str = "") -> None:
        self.steps = steps
        self._first: Progress | None = None
        self._title = title  # said once the first step is done: what cannot begin has only its error to say
        self.stream = stream or sys.stderr
        self.terminal = self.stream.isatty()
        self.tick = TERMINAL_TICK if self.terminal else PLAIN_TICK
        self._next = time.monotonic()
        self._live: Any = None

    def __call__(self, progress: Progress) -> None:
        """Shows a step, when a tick has gone by."""
        now = time.monotonic()
        self._first = self._first or progress
        if self._title:
            self.say(self._title)
            self._title = ""
        if now < self._next and progress.step < progress.steps:
            return
        numbers = latest(progress.path, SHOWN.values())
        self._show(progress, numbers)
        taken = time.monotonic() - now
        self._next = now + taken + max(self.tick, taken / READING_SHARE)

    def alert(self, finding: Finding) -> None:
        """Says what a diagnosis during the run has found."""
        since = "" if finding.onset is None else f" from step {finding.onset}"
        self.say(f"ALERT {finding.check} ({finding.verdict}){since}: {finding.claim}")

    def say(self, line: str) -> None:
        """Prints one line above the display."""
        if self._live is not None:
            self._live.console.print(printable(line), markup=False, highlight=False)
        else:
            print(printable(line), file=self.stream, flush=True)

    def close(self) -> None:
        """Leaves the last state standing and gives the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show(self, progress: Progress, numbers: dict[str, float | None]) -> None:
        fields = {title: number(numbers[name]) for title, name in SHOWN.items()}
        total = numbers.get("modes_total")
        if total and numbers["modes_covered"] is not None:
            fields["modes"] += f"/{total:.0f}"
        if not self.terminal:
            values = "  ".join(f"{title} {value}" for title, value in fields.items())
            self.say(f"step {progress.step}/{self.steps}  {time_left(progress, self._first)}  {values}")
            return
        if self._live is None:
            self._live = _live(self.stream)
        self._live.update(_panel(progress, fields, time_left(progress, self._first)), refresh=True)


def latest(path: Path, names: Iterable[str]) -> dict[str, float | None]:
    """Returns the last recorded value of each quantity, None where there is none yet."""
    from gandiag.run import load_run

    values: dict[str, float | None] = dict.fromkeys([*names, "modes_total"])
    try:
        run = load_run(path)
    except GandiagError:
        return values
    for name in values:
        try:
            values[name] = float(run[name].iloc[-1])
        except GandiagError:
            continue
    return values


def number(value: float | None) -> str:
    """Returns a number in few characters, a dash where nothing was measured."""
    return "-" if value is None else f"{value:.3g}"


def time_left(progress: Progress, first: Progress | None) -> str:
    """Returns how long the rest will take, as 1:02:03 or 12 s.

    At the speed since the first step that was seen: that one has also loaded, compiled and evaluated what the others find ready.
    """
    done = 0 if first is None else progress.step - first.step
    if first is None or done < 1:
        return "time left unknown"
    seconds = (progress.seconds - first.seconds) / done * max(progress.steps - progress.step, 0)
    if seconds < 100:
        return f"{seconds:.0f} s left"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} left" if minutes >= 60 else f"{minutes}:{rest:02d} left"


def _live(stream: TextIO) -> Any:
    from rich.console import Console
    from rich.live import Live

    live = Live(console=Console(file=stream), auto_refresh=False)
    live.start()
    return live


def _panel(progress: Progress, fields: dict[str, str], left: str) -> Any:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Text(f"{progress.path.name}   step {progress.step}/{progress.steps}   {left}")
    table = Table.grid(padding=(0, 3))
    for _ in fields:
        table.add_column()
    table.add_row(*[Text(title, style="dim") for title in fields])
    table.add_row(*[Text(value, style="bold") for value in fields.values()])
    return Group(head, ProgressBar(total=progress.steps, completed=progress.step), table)
