"""The force on the score: where each player pushes the discriminator's outputs, and where the generator's gradient is lost.

The force is -d(loss)/d(logit), so that a positive force pushes the score up. In a sound game the discriminator pushes reals up
and fakes down, and the generator pushes fakes up. Traps: least squares turns its sign past the target, the hinge is silent where
it is satisfied, relativistic forces belong to pairs.
"""

from __future__ import annotations

from torch import Tensor

from gandiag.recording.step import Step, Value


def discriminator_force_on_real(step: Step) -> dict[str, Value]:
    """Batch sum of the discriminator's force on the real scores, and of its size (1/logit)."""
    return _force(step.discriminator_force_real, "discriminator", "real")


def discriminator_force_on_fake(step: Step) -> dict[str, Value]:
    """Batch sum of the discriminator's force on the fake scores, and of its size (1/logit)."""
    return _force(step.discriminator_force_fake, "discriminator", "fake")


def generator_force_on_real(step: Step) -> dict[str, Value]:
    """Batch sum of the generator's force on the real scores, and of its size; only relativistic losses have one."""
    return _force(step.generator_force_real, "generator", "real")


def generator_force_on_fake(step: Step) -> dict[str, Value]:
    """Batch sum of the generator's force on the fake scores, its size, and its L2 norm: the gradient at the logit."""
    assert step.generator_force_fake is not None
    found = _force(step.generator_force_fake, "generator", "fake")
    return {**found, "generator_gradient_at_logit": step.generator_force_fake.square().sum(-1).sqrt()}


def gradient_at_image(step: Step) -> dict[str, Value]:
    """L2 norm of the generator's gradient at the fake batch: large at the logit and small here means a flat discriminator."""
    assert step.generator_gradient_at_image is not None
    return {"generator_gradient_at_image": step.generator_gradient_at_image}


def in_logit_space(gradient: Tensor, probabilities: Tensor) -> Tensor:
    """Returns d(loss)/d(logit) from d(loss)/d(probability): the chain rule through the sigmoid, p (1 - p)."""
    return gradient * (probabilities * (1 - probabilities))


def _force(force: Tensor | None, who: str, what: str) -> dict[str, Value]:
    assert force is not None
    return {f"{who}_force_on_{what}": force.sum(-1), f"{who}_force_size_on_{what}": force.abs().sum(-1)}
