"""What the values of a batch look like from near: outliers, colours that lie where pixels should, and how rough fakes are beside reals.

The first two are faults of the loader that no score shows: tails that no batch can tell, and channels-last bytes that were viewed, not permuted.
"""

from __future__ import annotations

from torch import Tensor

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


def roughness(step: Step) -> dict[str, Value]:
    """Von Neumann's ratio of the reals and of the fakes: 2 = each value tells nothing of its neighbour, 0 = smooth.

    Of fakes that are one law with the reals it is the same, whatever the order of the values means; of blurred ones it is smaller.
    """
    sides = {"real": step.real, "fake": step.fake}
    return {
        f"{who}_roughness": _von_neumann(batch) for who, batch in sides.items() if batch is not None and _rows(batch)
    }


def _rows(batch: Tensor) -> bool:
    """Whether samples have a last axis along which there are neighbours."""
    return batch.dim() > 1 and batch.shape[-1] >= LEAST_SIDE and len(batch) > 0


def _von_neumann(batch: Tensor) -> Tensor:
    """Mean square of the differences of neighbours along the last axis, and the one before in images, over the variance of all values."""
    batch = batch.detach()[: max(2, LOOKED_AT // max(1, batch[0].numel()))].float()
    squares = [(batch[..., 1:] - batch[..., :-1]).square().mean()]
    if batch.dim() == 4 and batch.shape[2] > 1:
        squares.append((batch[..., 1:, :] - batch[..., :-1, :]).square().mean())
    return sum(squares[1:], squares[0]) / len(squares) / batch.var(correction=0)
