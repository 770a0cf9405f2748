"""How far the fakes lie from the reals in each single column: the energy coefficient in one dimension, where one wrong column of many shows.

The energy coefficient of whole samples hardly sees a column that is wrong among twenty that are right.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gandiag.recording.diversity import PROJECTED
from gandiag.recording.step import Step, Value

MOST = 256  # values of a column on each side
FEWEST = 8  # samples of a side
# of the mean column's distance, below which a column counts the less: of a value that is always 0, any noise is infinitely far away
NARROW = 0.1


def marginals(step: Step) -> dict[str, Value]:
    """The energy coefficient of each column (or channel, with all of its values) of the fakes from that of the reals.

    Samples of more than 32 columns that are no channels are one column. Both sides are read at the same places.
    """
    real, fake = step.real, step.fake
    if real is None or fake is None or real.dim() < 1 or real.shape[1:] != fake.shape[1:]:
        return {}
    count = min(len(real), len(fake))
    if count < FEWEST or not real[0].numel():
        return {}
    return {"marginal_energy": energy_by_column(_columns(real[:count]), _columns(fake[:count]))}


def energy_by_column(real: Tensor, fake: Tensor) -> Tensor:
    """Returns 1 - (E|x-x'| + E|y-y'|) / 2E|x-y| for each row of (columns, n) and (columns, n); 0 where all values of both are one.

    The denominator is at least a tenth of the columns' mean.
    """
    n = real.shape[1]
    # sums weighed by ranks cancel: the fewer digits the values have in common, the better
    middle = real.mean(1, keepdim=True)
    real, fake = real - middle, fake - middle
    own = [_sum_of_distances(side) for side in (real, fake)]
    across = _sum_of_distances(torch.cat([real, fake], 1)) - own[0] - own[1]
    pairs = n * (n - 1) / 2
    apart = across / n**2
    scale = torch.maximum(apart, NARROW * apart.nanmean())
    return torch.where(across == 0, 0.0, (2 * apart - (own[0] + own[1]) / pairs) / (2 * scale))


def _sum_of_distances(values: Tensor) -> Tensor:
    """Sum of |a - b| over all pairs in each row of (columns, n), by ranks: sum of (2i - n - 1) x_(i)."""
    n = values.shape[1]
    weights = 2 * torch.arange(1, n + 1, dtype=values.dtype, device=values.device) - n - 1
    return (values.sort(1).values * weights).sum(1)


def _columns(batch: Tensor) -> Tensor:
    """The values of each column (columns, at most MOST)."""
    batch = batch.detach().float()
    columns = batch.shape[1] if batch.dim() > 1 and batch.shape[1] <= PROJECTED else 1
    values = batch.reshape(len(batch), columns, -1).transpose(0, 1).reshape(columns, -1)
    return values[:, :: -(-values.shape[1] // MOST)]
