"""Conditioning of the generator: how unevenly it stretches its latent space (Odena et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gandiag.recording.plain import graph
from gandiag.recording.untouched import copied, own_randomness, to_eval_mode

CONDITIONING_SEED = 20260


def jacobian_conditioning(generator: nn.Module, latents: Tensor, *labels: Tensor) -> tuple[float, float]:
    """Returns mean and standard deviation over latents (n, ...) of log cond(J^T J) = 2 ln(s_1 / s_k), J = dG/dz, k = min(outputs, inputs).

    0 = an isometry up to scale, infinite = a direction of the latent space does nothing. Measured on a copy in eval mode, so that
    samples do not depend on each other; costs two passes for each latent coordinate, or one for each output where those are fewer.
    """
    (copy,) = copied(generator)
    to_eval_mode(copy)
    with own_randomness(CONDITIONING_SEED):
        logs = log_condition(generator_jacobians(lambda z: copy(z, *labels), latents))
    return float(logs.mean()), float(logs.std()) if len(logs) > 1 else 0.0


def generator_jacobians(generate: Callable[[Tensor], Tensor], latents: Tensor) -> Tensor:
    """Returns dG/dz at each latent (n, ...) as (n, outputs, inputs); `generate` must treat samples one by one."""
    z = latents.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        samples = generate(z)
        flat = samples.reshape(len(z), -1)
        if flat.shape[1] <= 2 * z[0].numel():
            return _by_rows(flat, z)
        try:
            columns = _by_columns(flat, z)
        except (RuntimeError, NotImplementedError) as error:
            if not any(sign in str(error) for sign in ("is not implemented", "double backward")):
                raise
            columns = None
        if columns is not None:
            return columns
        # an operation without a second derivative: one pass an output
        return _by_rows(generate(z).reshape(len(z), -1), z)


def log_condition(jacobians: Tensor) -> Tensor:
    """Returns 2 ln(s_1 / s_k) of each Jacobian (n, outputs, inputs)."""
    values = torch.linalg.svdvals(jacobians.double())
    return 2 * (values[:, 0].log() - values[:, -1].log())


def _by_rows(flat: Tensor, z: Tensor) -> Tensor:
    rows = [
        torch.autograd.grad(flat[:, i].sum(), z, retain_graph=True)[0].reshape(len(z), -1) for i in range(flat.shape[1])
    ]
    return torch.stack(rows, dim=1).detach()


def _by_columns(flat: Tensor, z: Tensor) -> Tensor | None:
    """J u by differentiating J^T w, which is linear in w, along w; None where an operation is marked as differentiable once.

    Such an operation leaves an `Error` node off every path to w: autograd would pass it over, and its share of J would be missing.
    """
    w = torch.zeros_like(flat, requires_grad=True)
    back = torch.autograd.grad(flat, z, w, create_graph=True)[0].reshape(len(z), -1)
    if any(type(node).__name__ == "Error" for node in graph([back])):
        return None
    columns = [torch.autograd.grad(back[:, i].sum(), w, retain_graph=True)[0] for i in range(back.shape[1])]
    return torch.stack(columns, dim=2).detach()
