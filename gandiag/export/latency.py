"""Latency: the file beside torch eager and compiled, by batch, on the same threads, in turns. Ratios travel, seconds do not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gandiag.export.contract import Certificate, Contract
from gandiag.export.latents import draw_labels, draw_latents
from gandiag.export.session import Session

BATCHES = (1, 8, 64)
SECONDS = 0.3  # for each batch size and contender; at least ROUNDS calls
ROUNDS = 5
MOST_ROUNDS = 200

Call = Callable[[np.ndarray, np.ndarray | None], Any]


def latency_certificate(
    contenders: Mapping[str, Call], contract: Contract, provider: str, threads: int, *, seconds: float = SECONDS
) -> Certificate:
    """Times each contender ("file" and others, such as "torch eager") in turns; the certificate informs and never fails.

    Facts: milliseconds (median, 5 % and 95 % quantile) and samples a second per batch; the ratio of the file's median to each other's.
    """
    sizes = BATCHES if contract.batch is None else (contract.batch,)
    rows = {str(size): time_in_turns(contenders, contract, size, seconds) for size in sizes}
    others = [name for name in contenders if name != "file"]
    ratios = {
        other: {size: row["file"]["median_ms"] / row[other]["median_ms"] for size, row in rows.items()}
        for other in others
    }
    facts = {"provider": provider, "threads": threads, "batches": rows, "ratio_to": ratios}
    return Certificate("latency", None, _claim(rows, ratios, provider, threads), facts)


def time_in_turns(contenders: Mapping[str, Call], contract: Contract, size: int, seconds: float) -> dict[str, Any]:
    """Returns each contender's times on one batch size; they take turns, so that a busy machine slows all of them alike."""
    latents, labels = draw_latents(contract, size), draw_labels(contract, size)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call(latents, labels)  # the first call plans memory and kernels
    end = time.perf_counter() + seconds * len(contenders)
    while len(times["file"]) < ROUNDS or (time.perf_counter() < end and len(times["file"]) < MOST_ROUNDS):
        for name, call in contenders.items():
            start = time.perf_counter()
            call(latents, labels)
            times[name].append(time.perf_counter() - start)
    return {name: _summary(np.asarray(one), size) for name, one in times.items()}


def file_call(session: Session) -> Call:
    """The file as a contender."""
    return session


def _summary(times: np.ndarray, size: int) -> dict[str, float]:
    low, median, high = np.quantile(times, [0.05, 0.5, 0.95])
    return {
        "median_ms": float(median * 1e3),
        "q05_ms": float(low * 1e3),
        "q95_ms": float(high * 1e3),
        "samples_per_second": float(size / median),
        "calls": len(times),
    }


def _claim(rows: Mapping[str, Any], ratios: Mapping[str, Any], provider: str, threads: int) -> str:
    times = ", ".join(f"batch {size} {row['file']['median_ms']:.3g} ms" for size, row in rows.items())
    beside = "; ".join(
        f"x{', x'.join(f'{ratio:.2g}' for ratio in by_size.values())} of {other}" for other, by_size in ratios.items()
    )
    return f"{times} on {provider}, {threads} threads" + (f"; {beside}" if beside else "")
