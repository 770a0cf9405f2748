"""A disk that hangs in the middle of a write: the training goes on, memory is bounded, what was dropped is counted, nobody waits for ever."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from gandiag.recording import writing
from gandiag.run import RunWriter, load_run
from tests.test_recording_recorder import Loop


def hang_from_now_on(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Every write waits until the event is set."""
    answers, true = threading.Event(), RunWriter.append

    def append(self: RunWriter, *positional: Any, **named: Any) -> None:
        answers.wait(600)  # the tests set it: no slow machine may end the hang before
        true(self, *positional, **named)

    monkeypatch.setattr(RunWriter, "append", append)
    return answers


def test_what_waits_is_bounded_and_what_could_not_wait_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BACKLOG_BYTES", 100_000)
    loop = Loop(tmp_path / "run")
    loop.run(64)
    loop.recorder.flush()
    answers = hang_from_now_on(monkeypatch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(30):
            loop.run(64)
            loop.recorder._ship()
    assert sum("training goes on" in str(w.message) for w in caught) == 1
    thread = loop.recorder._thread
    assert thread._bytes_put - thread._bytes_done < 3 * writing.BACKLOG_BYTES
    assert loop.recorder._rows._blocks <= 6
    answers.set()
    loop.recorder.close()
    run = load_run(tmp_path / "run")
    kept = run["discriminator_loss"].index.to_list()
    assert kept == sorted(set(kept))
    assert kept[:64] == list(range(64))
    assert len(kept) + run.about["dropped_rows"] == 31 * 64


def test_flush_and_close_wait_for_it_once_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PATIENCE_SECONDS", 0.2)
    loop = Loop(tmp_path / "run")
    loop.run(5)
    loop.recorder.flush()
    answers = hang_from_now_on(monkeypatch)
    waits: list[float | None] = []

    class Noted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return super().wait(timeout)

    monkeypatch.setattr(writing.threading, "Event", Noted)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(20):
            loop.run(1)
            loop.recorder.flush()
        loop.recorder.close()
    assert set(waits[:5]) <= {0.2, 0.0}  # what was under way may still have got done
    assert waits[5:] == [0.0] * len(waits[5:])
    assert any("nothing was written for" in str(w.message) for w in caught)
    assert load_run(tmp_path / "run").steps == 5
    answers.set()
    loop.recorder._thread._thread.join(20)
    loop.recorder._thread._writer.close()  # type: ignore[union-attr]  # the test's own tidying up


def test_a_disk_that_gets_something_done_is_waited_for_however_slow_it_is() -> None:
    thread = writing.WriterThread(None)
    waits: list[float] = []

    def finished(seconds: float) -> bool:
        waits.append(seconds)
        thread._done += 1  # something got done meanwhile
        return len(waits) == 50

    assert thread._patiently(finished)
    assert waits == [writing.PATIENCE_SECONDS] * 50
    thread.stop("finished")


def test_only_the_first_fork_waits_for_a_job_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Taken:
        def __init__(self) -> None:
            self.free, self.waits = False, list[float]()

        def acquire(self, timeout: float) -> bool:
            self.waits.append(timeout)
            return self.free

        def release(self) -> None:
            assert self.free

    busy = Taken()
    monkeypatch.setattr(writing, "BUSY", busy)
    monkeypatch.setattr(writing, "_hung", [])  # a fork of an earlier test may have waited in vain

    def fork() -> None:
        writing._before_fork()
        writing._after_fork()

    for _ in range(3):
        fork()
    busy.free = True
    fork()
    busy.free = False
    fork()
    assert busy.waits == [writing.FORK_SECONDS, 0.0, 0.0, 0.0, writing.FORK_SECONDS]
    busy.free = True
    fork()
    assert not writing._hung
