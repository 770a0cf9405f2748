"""Units of a layer that are all one: what began the same stays the same, since each gets the others' gradient."""

from __future__ import annotations

import torch
from torch import nn

FEWEST_UNITS = 4
ALIKE = 1e-6  # of a layer's largest weight


def identical_units(module: nn.Module) -> list[str]:
    """Returns the weights, of those that are trained and of four units and more, whose units are all the same. Waits for the device.

    One constant throughout is none: a layer that was never moved. Nor is one of a single value for each unit, as normalisations have.
    """
    found = []
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if not weight.requires_grad or weight.dim() < 2 or len(weight) < FEWEST_UNITS or weight[0].numel() < 2:
                continue
            nothing = ALIKE * weight.abs().amax()
            if bool(((weight - weight[:1]).abs().amax() <= nothing) & (weight.amax() - weight.amin() > nothing)):
                found.append(name)
    return found
