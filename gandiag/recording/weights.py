"""Spectra of weight matrices: largest singular value, effective rank and share of small singular values, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from gandiag.recording.untouched import frozen_buffers, to_eval_mode

EXACT_SIDE = 1024  # a smaller side up to this is decomposed whole (a second at most); beyond, by Lanczos quadrature
# of the largest: Liu et al. 2019 (1908.10999) give no number; each layer is compared with its own past
SMALL_SHARE = 0.1
PROBES, LANCZOS_STEPS = 16, 64
GENERATOR_SEED = 20260
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def weight_matrices(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yields (name, matrix (outputs, rest)) of every weight of two or more dimensions, as the layer uses it (parametrised ones included).

    Convolutions are reshaped to (outputs, inputs x kernel); transposed ones are turned first, so that outputs stand in the rows.
    """
    was_training = [(part, part.training) for part in module.modules()]
    with frozen_buffers([module]), torch.no_grad():
        to_eval_mode(module)  # a spectral norm's power iteration must not move
        try:
            for path, part in module.named_modules():
                if isinstance(part, parametrize.ParametrizationList):
                    continue
                for name in _weights_of(part):
                    value = getattr(part, name)
                    if (
                        isinstance(value, Tensor)
                        and value.dim() >= 2
                        and value.is_floating_point()
                        and min(value.shape) > 0
                    ):
                        turned = (
                            value.transpose(0, 1)
                            if isinstance(part, _TRANSPOSED) and name.startswith("weight")
                            else value
                        )
                        yield f"{path}.{name}".lstrip("."), turned.detach().reshape(turned.shape[0], -1)
        finally:
            for part, training in was_training:
                part.training = training


def weight_names(module: nn.Module) -> list[str]:
    """Returns the labels of the weights' spectra, in the order of `weight_spectra`."""
    return [name for name, _ in weight_matrices(module)]


def weight_spectra(module: nn.Module, who: str) -> dict[str, list[float]]:
    """Returns WHO_layer_spectral_norm, WHO_layer_effective_rank and WHO_layer_small_share, one value for each of `weight_names`."""
    rows = [spectrum_summary(matrix) for _, matrix in weight_matrices(module)]
    names = ("spectral_norm", "effective_rank", "small_share")
    return {f"{who}_layer_{name}": [row[i] for row in rows] for i, name in enumerate(names)} if rows else {}


def spectrum_summary(matrix: Tensor) -> tuple[float, float, float]:
    """Returns (largest singular value, effective rank, share of singular values below a tenth of the largest) of a matrix (m, n).

    Effective rank is exp of the entropy of the singular values over their sum (Roy and Vetterli 2007), 1 .. min(m, n); a zero matrix
    has 0, and its share is 1. Exact up to a smaller side of 1024; beyond, the norm comes from Lanczos to 1e-6 and the other two from
    stochastic Lanczos quadrature, good to a few per cent. NaN where the matrix is not finite.
    """
    wide = matrix.double()
    wide = wide if wide.shape[0] <= wide.shape[1] else wide.T
    if not bool(torch.isfinite(wide).all()):
        return (float("nan"),) * 3
    scale = wide.abs().max()
    if float(scale) == 0.0:
        return 0.0, 0.0, 1.0
    wide = wide / scale
    if wide.shape[0] <= EXACT_SIDE:
        values = torch.linalg.svdvals(wide)
        weights = torch.ones_like(values)
    else:
        values, weights = _quadrature(wide)
    largest = values.max()
    shares = values / (weights * values).sum()
    entropy = -(weights * torch.special.xlogy(shares, shares)).sum()
    small = (weights * (values < SMALL_SHARE * largest)).sum() / weights.sum()
    return float(largest * scale), float(entropy.exp()), float(small)


def _quadrature(wide: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values with weights that sum to their number: Lanczos on W W^T from random probes (Ubaru et al. 2017)."""
    side = wide.shape[0]
    random = torch.Generator().manual_seed(GENERATOR_SEED)
    values, weights = [], []
    for _ in range(PROBES):
        probe = torch.randn(side, generator=random, dtype=torch.float64).to(wide.device)
        diagonal, beside = _lanczos(wide, probe / probe.norm())
        nodes, vectors = torch.linalg.eigh(torch.diag(diagonal) + torch.diag(beside, 1) + torch.diag(beside, -1))
        values.append(nodes.clamp_min(0).sqrt())
        weights.append(vectors[0].square() * side / PROBES)
    return torch.cat(values), torch.cat(weights)


def _lanczos(wide: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    basis = torch.zeros(LANCZOS_STEPS + 1, len(start), dtype=start.dtype, device=start.device)
    diagonal, beside = [], []
    basis[0] = start
    for k in range(LANCZOS_STEPS):
        image = wide @ (wide.T @ basis[k])
        diagonal.append(basis[k] @ image)
        for _ in range(2):
            image = image - (basis[: k + 1] @ image) @ basis[: k + 1]
        length = image.norm()
        if float(length) < 1e-12 * float(diagonal[0]):
            break
        beside.append(length)
        basis[k + 1] = image / length
    beside = beside[: len(diagonal) - 1]
    return torch.stack(diagonal), torch.stack(beside) if beside else diagonal[0].new_zeros(0)


def _weights_of(part: nn.Module) -> list[str]:
    """Names of a module's own weights as its forward pass uses them: parametrised ones by their name, the old `weight_orig` as `weight`."""
    own = [name.removesuffix("_orig") for name, _ in part.named_parameters(recurse=False)]
    if parametrize.is_parametrized(part):
        own += list(part.parametrizations.keys())  # type: ignore[union-attr, operator]  # a ModuleDict, which the stubs do not say
    return [name for name in dict.fromkeys(own) if not (name.endswith(("_g", "_v")) and hasattr(part, name[:-2]))] + [
        name[:-2] for name in own if name.endswith("_v") and hasattr(part, name[:-2])
    ]
