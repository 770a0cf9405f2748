"""The display of a training that is going on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gandiag.cli.progress import Display, time_left
from gandiag.training.loop import Progress


def after(step: int, seconds: float, *, steps: int = 1000) -> Progress:
    return Progress(Path("runs/none"), step, steps, 64 * step, seconds)


@pytest.mark.parametrize(
    ("step", "seconds", "left"),
    [
        (101, 6.0, "9 s left"),  # 100 steps a second: the 5 s of the first step are not the others'
        (2, 6.0, "16:38 left"),
        (2, 10.0, "1:23:10 left"),
        (1000, 15.0, "0 s left"),
        (1, 5.0, "time left unknown"),
    ],
)
def test_the_time_left_is_that_of_the_speed_after_the_first_step(step: int, seconds: float, left: str) -> None:
    assert time_left(after(step, seconds), after(1, 5.0)) == left


def test_a_resumed_run_counts_what_it_has_trained_itself() -> None:
    assert time_left(after(902, 3.0), after(901, 2.0)) == "98 s left"


def test_a_stream_that_is_no_terminal_gets_a_title_and_a_line_a_tick() -> None:
    stream = io.StringIO()
    display = Display(1000, stream, title="mlp on digits")
    for step in (1, 2, 3):
        display(after(step, 0.01 * step))  # within one tick
    display(after(1000, 12.0))
    title, first, last = stream.getvalue().splitlines()
    assert title == "mlp on digits"
    assert first.startswith("step 1/1000  time left unknown  D loss -")
    assert last.startswith("step 1000/1000  0 s left  D loss -")
