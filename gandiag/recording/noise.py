"""The gradient noise scale: how many samples a batch needs before its gradient is more signal than noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gandiag.recording.game import Batch, GanLoss, players_on, vector_field
from gandiag.recording.untouched import copied


@dataclass(frozen=True)
class NoiseEstimate:
    """Unbiased estimates of tr(covariance of one sample's gradient) and |mean gradient|^2; either may come out negative by chance."""

    trace: float
    squared_norm: float

    @property
    def scale(self) -> float | None:
        """trace / squared norm, in samples; None where either is not positive, so that no ratio can be read."""
        return self.trace / self.squared_norm if self.squared_norm > 0 and self.trace > 0 else None


def gradient_noise(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_loss: GanLoss,
    discriminator_loss: GanLoss,
    latents: Batch,
    reals: Batch,
    *,
    chunks: int = 8,
) -> tuple[NoiseEstimate, NoiseEstimate]:
    """Returns the noise estimates of both players, generator first, on copies: the batch is cut into `chunks`, one gradient each.

    McCandlish et al. 2018, in the form for several small batches of b samples: tr S = b x sample variance of the chunks' gradients,
    |G|^2 = |mean|^2 - tr S / n. The losses must be means over the batch; batch norm ties a chunk's samples together, and what is then
    measured is the noise at that batch size. Estimates of several batches are combined by `pooled`, never by averaging their ratios.
    """
    size = _length(latents)
    b = size // chunks
    if chunks < 2 or b < 1 or _length(reals) != size:
        raise ValueError(
            f"{chunks} chunks of {size} latents and {_length(reals)} reals: at least 2 chunks of 1, and equally many, are needed"
        )
    g, d = copied(generator, discriminator)
    sizes = [sum(p.numel() for p in m.parameters() if p.requires_grad) for m in (g, d)]
    total: Tensor | float = 0.0
    squares = []
    for k in range(chunks):
        z, x = (_cut(batch, slice(k * b, (k + 1) * b)) for batch in (latents, reals))
        gradient = vector_field(players_on(g, d, generator_loss, discriminator_loss, z, x)).double()
        total = total + gradient
        squares.append([piece.square().sum() for piece in gradient.split(sizes)])
    means = [(piece / chunks).square().sum() for piece in torch.as_tensor(total).split(sizes)]
    on_generator, on_discriminator = (
        noise_from_chunks(torch.stack(own), mean, b) for own, mean in zip(zip(*squares), means)
    )
    return on_generator, on_discriminator


def noise_from_chunks(squared_norms: Tensor, squared_norm_of_mean: Tensor, chunk_size: int) -> NoiseEstimate:
    """Returns the unbiased estimates from |g_i|^2 of each chunk (k,) and |mean of the g_i|^2, chunks of `chunk_size` samples."""
    chunks = len(squared_norms)
    trace = chunk_size * (squared_norms.sum() - chunks * squared_norm_of_mean) / (chunks - 1)
    return NoiseEstimate(float(trace), float(squared_norm_of_mean - trace / (chunks * chunk_size)))


def pooled(estimates: Sequence[NoiseEstimate]) -> NoiseEstimate:
    """Returns the mean of several estimates: the scale of that is a ratio of means, which is what stays honest."""
    return NoiseEstimate(
        sum(e.trace for e in estimates) / len(estimates), sum(e.squared_norm for e in estimates) / len(estimates)
    )


def _length(batch: Batch) -> int:
    return len(batch[0]) if isinstance(batch, tuple) else len(batch)


def _cut(batch: Batch, part: slice) -> Batch:
    return tuple(t[part] for t in batch) if isinstance(batch, tuple) else batch[part]
