"""What holds the slope of the discriminator: a gradient penalty that was seen, weights that are normalised, weights that are clipped."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

# what hand-written and torch's older normalisations call the weight that they start from
RAW_WEIGHTS = ("_orig", "_bar", "_raw", "_g")


def constraint(discriminator: nn.Module, *, gradient_penalty: bool) -> dict[str, Any]:
    """Returns the entry of run.json. Waits for the device: for the end of a run only."""
    return {
        "gradient_penalty": gradient_penalty,
        "normalised_weights": normalised(discriminator),
        "clipped_share": clipped_share(discriminator),
    }


def normalised(module: nn.Module) -> bool:
    """Tells whether any weight is computed from another parameter before it is used: spectral or weight normalisation, say."""
    if any(parametrize.is_parametrized(part) for part in module.modules()):
        return True
    return any(name.endswith(RAW_WEIGHTS) for name, p in module.named_parameters() if p.dim() > 1)


def clipped_share(module: nn.Module) -> float | None:
    """Returns the share of weights, of two dimensions and more, that stand at exactly the largest size in their tensor, beyond one each.

    0 where nobody clips, a tenth and more of a critic whose weights are clipped after each update; None without any such weight.
    """
    weights: list[Tensor] = [p.detach() for p in module.parameters() if p.dim() > 1 and p.numel() > 1]
    if not weights:
        return None
    with torch.no_grad():
        ties = sum(int((w.abs() == w.abs().amax()).sum()) - 1 for w in weights)
    return max(ties, 0) / sum(w.numel() for w in weights)
