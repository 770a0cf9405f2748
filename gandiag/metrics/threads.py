"""Work in parts on as many threads as torch uses; numpy lets go of the interpreter in products, sorts and sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

Part = TypeVar("Part")


def thread_count() -> int:
    """Returns how many threads work is to be split over: torch's own number, which OMP_NUM_THREADS and set_num_threads set."""
    return torch.get_num_threads()


def on_threads(work: Callable[[Part], None], parts: Sequence[Part]) -> None:
    """Does each part; a product of matrices within a part is then on one thread. An exception in a part is raised, the rest dropped."""
    threads = min(thread_count(), len(parts))
    if threads < 2:
        for part in parts:
            work(part)
        return
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        try:
            for _ in pool.map(work, parts):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the rest
            raise
