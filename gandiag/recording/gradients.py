"""What gradients tell: norms for each parameter, the cosine with the last gradient, updates against weights, learning rates."""

from __future__ import annotations

import torch
from torch import Tensor

from gandiag.recording.step import Step, Value


def discriminator_gradient_norms(step: Step) -> dict[str, Value]:
    """L2 norm of the discriminator's gradient in total, and for each parameter, at the step's last update."""
    return _norms(step.discriminator_layer_gradients, step.discriminator_gradient_max, "discriminator")


def generator_gradient_norms(step: Step) -> dict[str, Value]:
    """L2 norm of the generator's gradient in total, and for each parameter, at the step's last update."""
    return _norms(step.generator_layer_gradients, step.generator_gradient_max, "generator")


def gradient_cosines(step: Step) -> dict[str, Value]:
    """Cosine of each player's gradient with the one of its update before: near 1 smooth, -1 overshooting."""
    found = {
        "discriminator_gradient_cosine": step.discriminator_gradient_cosine,
        "generator_gradient_cosine": step.generator_gradient_cosine,
    }
    return {name: value for name, value in found.items() if value is not None}


def update_ratios(step: Step) -> dict[str, Value]:
    """L2 norm of each player's last update over that of its parameters, in total and for each, and the parameters' norm."""
    found: dict[str, Value] = {}
    for who, change in (
        ("discriminator", step.discriminator_layer_updates),
        ("generator", step.generator_layer_updates),
    ):
        if change is not None:
            updates, parameters = change
            whole = torch.linalg.vector_norm(parameters)
            found |= {
                f"{who}_layer_update_ratio": updates / parameters,
                f"{who}_parameter_norm": whole,
                f"{who}_update_ratio": torch.linalg.vector_norm(updates) / whole,
            }
    return found


def learning_rates(step: Step) -> dict[str, Value]:
    """Each player's learning rate, the largest of the parameter groups that hold parameters of its own."""
    found: dict[str, Value] = {}
    for who, player in (("discriminator", step.discriminator), ("generator", step.generator)):
        if player is not None and player.optimizer is not None:
            rate = player.learning_rate()
            if rate is not None:
                found[f"{who}_learning_rate"] = rate
    return found


def _norms(layers: Tensor | None, largest: Tensor | None, who: str) -> dict[str, Value]:
    assert layers is not None
    whole = layers.square().sum(-1).sqrt()
    return {
        f"{who}_gradient_norm": whole,
        f"{who}_layer_gradient_norm": layers,
        f"{who}_gradient_norm_max": whole if largest is None else torch.maximum(whole, largest),
    }
