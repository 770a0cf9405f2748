"""SECTIONS: the panels of the page, in their order. Pass `SECTIONS + (my_section,)` to add one of your own."""

from __future__ import annotations

from gandiag.reporting import sections_cost as cost
from gandiag.reporting import sections_diversity as diversity
from gandiag.reporting import sections_dynamics as dynamics
from gandiag.reporting import sections_gradients as gradients
from gandiag.reporting import sections_losses as losses
from gandiag.reporting import sections_outputs as outputs
from gandiag.reporting import sections_quality as quality
from gandiag.reporting.panel import Section

SECTIONS: tuple[Section, ...] = (
    losses.losses,
    losses.value_function,
    losses.force_on_the_score,
    losses.penalties,
    gradients.gradient_norms,
    gradients.generator_gradient_path,
    gradients.game_share,
    gradients.update_ratios,
    gradients.gradient_cosine,
    gradients.parameter_norms,
    gradients.learning_rates,
    gradients.layer_gradients_of_generator,
    gradients.layer_gradients_of_discriminator,
    gradients.layer_updates_of_generator,
    gradients.layer_updates_of_discriminator,
    outputs.output_quantiles,
    outputs.output_histogram_real,
    outputs.output_histogram_fake,
    outputs.separation,
    outputs.output_overlay,
    outputs.output_distance,
    outputs.calibration,
    outputs.overfitting,
    diversity.modes,
    diversity.mode_quality,
    diversity.class_histogram,
    diversity.class_history,
    diversity.class_recall,
    diversity.batch_diversity,
    diversity.batch_distance,
    diversity.batch_neighbours,
    diversity.batch_columns,
    diversity.batch_roughness,
    diversity.effective_rank,
    diversity.batch_range,
    diversity.batch_centre,
    quality.frechet,
    quality.precision_recall,
    quality.neighbours,
    quality.kernel,
    quality.memorisation,
    quality.other_scores,
    quality.other_distances,
    dynamics.eigenvalues,
    dynamics.phase_portrait,
    dynamics.players_curvature,
    dynamics.distance_to_equilibrium,
    dynamics.path_angle,
    dynamics.spectra_of_generator,
    dynamics.spectral_norms_of_discriminator,
    dynamics.spectra_of_discriminator,
    dynamics.ranks_of_discriminator,
    dynamics.gradient_noise,
    dynamics.jacobian_condition,
    cost.step_time,
    cost.throughput,
    cost.device_memory,
    cost.probe_cost,
    cost.numerics,
)
