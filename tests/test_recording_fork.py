"""A process that is forked while a recorder works: the child never inherits a lock in the middle of somebody's work."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time

import pytest

from gandiag.recording.writing import BUSY, FORK_SECONDS

forks = pytest.mark.skipif(
    not hasattr(os, "register_at_fork"), reason="this system cannot fork: nothing of this is at stake here"
)


def free_in_child(answer: multiprocessing.SimpleQueue) -> None:
    answer.put(BUSY.acquire(timeout=5))


@forks
def test_a_fork_waits_until_our_threads_are_between_two_jobs() -> None:
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    over = threading.Event()

    def work() -> None:
        with BUSY:
            over.wait(0.3)
            time.sleep(0.1)

    thread = threading.Thread(target=work)
    thread.start()
    while not BUSY.locked():
        time.sleep(0.001)
    child = context.Process(target=free_in_child, args=(answer,))
    over.set()
    child.start()
    thread_was_done = not thread.is_alive() or not BUSY.locked()
    child.join(20)
    thread.join()
    assert thread_was_done
    assert answer.get() is True
    assert not BUSY.locked()


@forks
def test_a_job_that_hangs_does_not_stop_the_training_from_forking() -> None:
    context = multiprocessing.get_context("fork")
    release = threading.Event()

    def hang() -> None:
        with BUSY:
            release.wait(20)

    thread = threading.Thread(target=hang)
    thread.start()
    while not BUSY.locked():
        time.sleep(0.001)
    child = context.Process(target=os._exit, args=(7,))
    child.start()
    child.join(FORK_SECONDS + 10)
    release.set()
    thread.join()
    assert child.exitcode == 7
    assert not BUSY.locked()
