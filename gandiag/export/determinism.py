"""Determinism: the same input gives the same bytes, and a sample does not depend on the batch that it comes in."""

from __future__ import annotations

import numpy as np

from gandiag.export.contract import Certificate, Contract
from gandiag.export.parity import TOLERANCE_IN_FLOORS, Reference, largest
from gandiag.export.session import Session, run_in_batches

ROWS = 64


def determinism_certificate(session: Session, contract: Contract, reference: Reference) -> Certificate:
    """Runs the same latents again, backwards, and alone: identical bytes, and equal samples up to four rounding floors (one byte level)."""
    rows = min(ROWS, len(reference.latents) - reference.extremes)
    batch = contract.batch or rows
    latents = reference.latents[:rows]
    labels = None if reference.labels is None else reference.labels[:rows]
    first, again = (run_in_batches(session, latents, labels, batch) for _ in range(2))
    same = first.tobytes() == again.tobytes()
    turned = run_in_batches(session, latents[::-1], None if labels is None else labels[::-1], batch)[::-1]
    alone = (
        turned if contract.batch else run_in_batches(session, latents[:7], None if labels is None else labels[:7], 1)
    )
    apart = max(
        largest(np.abs(turned.astype(np.float64) - first)),
        largest(np.abs(alone.astype(np.float64) - first[: len(alone)])),
    )
    limit = 1.0 if contract.uint8 else TOLERANCE_IN_FLOORS * reference.floor
    independent = bool(apart <= limit)
    unit = " byte levels" if contract.uint8 else ""
    claim = (
        ("the same input gave the same bytes" if same else "the same input gave DIFFERENT bytes")
        + f"; the same latents in another batch differ by at most {apart:.2e}{unit} (limit {limit:.2e})"
        + (
            ""
            if independent
            else ": a sample depends on its batch; batch norm without running statistics, or a statistic over the batch, does that"
        )
    )
    return Certificate(
        "determinism", same and independent, claim, {"same_bytes": same, "batch_dependence": apart, "limit": limit}
    )
