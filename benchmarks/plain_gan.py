"""One step of the plainest Wasserstein game: what the benchmarks train where the training itself does not matter."""

from __future__ import annotations

from torch import Tensor, nn, optim


def one_step(
    generator: nn.Module,
    discriminator: nn.Module,
    g_opt: optim.Optimizer,
    d_opt: optim.Optimizer,
    real: Tensor,
    latent: Tensor,
) -> tuple[Tensor, Tensor]:
    """Updates the discriminator, then the generator, on one batch; returns both losses."""
    fake = generator(latent)
    d_loss = discriminator(fake.detach()).mean() - discriminator(real).mean()
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()
    g_loss = -discriminator(fake).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    return d_loss, g_loss
