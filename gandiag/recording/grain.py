"""What the values of a real batch look like from near: whether one of them outweighs all others, and whether colours lie where pixels should.

Both are faults of the loader that no score shows: tails that no batch can tell, and channels-last bytes that were viewed, not permuted.
"""

from __future__ import annotations

from gandiag.recording.step import Step, Value

COLOURS = (3, 4)  # channels of a second axis that can be colours
LEAST_SIDE = 8  # of an image
LOOKED_AT = 65_536  # values of a batch: a share of all is as good


def real_grain(step: Step) -> dict[str, Value]:
    """The share of the largest value in the real batch's scatter; of colour images, neighbours a channel count apart over neighbours."""
    batch = step.real
    if batch is None or batch.dim() < 2 or len(batch) < 2:
        return {}
    batch = batch.detach()[: max(2, LOOKED_AT // max(1, batch[0].numel()))].float()
    if not batch.numel():
        return {}
    squares = (batch - batch.mean()).square()
    found: dict[str, Value] = {"real_peak_share": squares.amax() / squares.sum()}
    if batch.dim() == 4 and batch.shape[1] in COLOURS and min(batch.shape[2:]) >= LEAST_SIDE:
        near, far = (batch[..., lag:] - batch[..., :-lag] for lag in (1, batch.shape[1]))
        found["real_interleaving"] = far.abs().mean() / near.abs().mean()
    return found
