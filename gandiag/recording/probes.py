"""The tables of probes: which probe runs every how many steps. A user passes `PROBES | {my_probe: 10}`.

In the default tier what must be seen each step (losses, gradient norms, D's outputs, the force on the score, what is not
finite) is seen each step, and the rest at fixed cadences that never depend on the clock: the same command gives the same record.
"""

from __future__ import annotations

from gandiag.recording import (
    centres,
    cost,
    diversity,
    force,
    gradients,
    grain,
    logits,
    marginals,
    nearness,
    numerics,
    sketch,
    trace,
)
from gandiag.recording.step import Probe

# Probes that reduce over the last axis read a whole block of steps at once. What each needs: fields of Step.
BLOCKWISE: dict[Probe, tuple[str, ...]] = {
    numerics.discriminator_loss: ("d_loss",),
    numerics.generator_loss: ("g_loss",),
    numerics.discriminator_penalty: ("d_penalty",),
    numerics.generator_penalty: ("g_penalty",),
    gradients.discriminator_gradient_norms: ("discriminator_layer_gradients",),
    gradients.generator_gradient_norms: ("generator_layer_gradients",),
    logits.real_outputs: ("real_logits",),
    logits.fake_outputs: ("fake_logits",),
    logits.separation: ("real_logits", "fake_logits"),
    logits.value_function: ("real_logits", "fake_logits"),
    force.discriminator_force_on_real: ("discriminator_force_real",),
    force.discriminator_force_on_fake: ("discriminator_force_fake",),
    force.generator_force_on_real: ("generator_force_real",),
    force.generator_force_on_fake: ("generator_force_fake",),
    force.gradient_at_image: ("generator_gradient_at_image",),
    logits.real_histogram: ("real_logits",),
    logits.fake_histogram: ("fake_logits",),
    logits.calibration: ("real_logits", "fake_logits"),
}
# Probes that read nothing but the batches: on the CPU they run in the writer thread, on a copy.
BATCHWISE: tuple[Probe, ...] = (
    diversity.real_batch,
    diversity.fake_batch,
    centres.centres,
    nearness.nearness,
    nearness.shown_fakes,
    grain.real_grain,
    grain.roughness,
    marginals.marginals,
    sketch.sketch,
)
# On the CPU these run in the writer thread as well: what they need was copied when the optimizer stepped.
DEFERRED: tuple[Probe, ...] = (*BATCHWISE, gradients.gradient_cosines, gradients.update_ratios)
# These read no scores.
SCORELESS = frozenset((*DEFERRED, gradients.learning_rates, cost.device_memory))
MINIMAL: dict[Probe, int] = {
    numerics.discriminator_loss: 1,
    numerics.generator_loss: 1,
    numerics.discriminator_penalty: 1,
    numerics.generator_penalty: 1,
    gradients.discriminator_gradient_norms: 1,
    gradients.generator_gradient_norms: 1,
    logits.real_outputs: 1,
    logits.fake_outputs: 1,
    logits.separation: 10,
    gradients.learning_rates: 100,
}
PROBES: dict[Probe, int] = MINIMAL | {
    logits.separation: 1,
    logits.value_function: 1,
    force.discriminator_force_on_real: 1,
    force.discriminator_force_on_fake: 1,
    force.generator_force_on_real: 1,
    force.generator_force_on_fake: 1,
    force.gradient_at_image: 1,
    logits.real_histogram: 10,
    logits.fake_histogram: 10,
    logits.calibration: 10,
    gradients.gradient_cosines: 10,
    gradients.update_ratios: 10,
    gradients.learning_rates: 10,
    diversity.real_batch: 10,
    diversity.fake_batch: 10,
    centres.centres: 10,
    nearness.nearness: 10,
    grain.real_grain: 50,
    grain.roughness: 50,
    marginals.marginals: 50,
    sketch.sketch: 20,
    nearness.shown_fakes: 50,
    cost.device_memory: 10,
}
DEFAULT: dict[Probe, int] = PROBES
FULL: dict[Probe, int] = dict.fromkeys((*PROBES, trace.parameter_trace), 1)
TIERS: dict[str, dict[Probe, int]] = {"minimal": MINIMAL, "default": DEFAULT, "full": FULL}


def name_of(probe: Probe) -> str:
    """Returns a probe's public name: its function's."""
    return getattr(probe, "__name__", type(probe).__name__)
