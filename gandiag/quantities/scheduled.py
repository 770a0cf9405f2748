"""Quantities of the game that are measured on a schedule: its spectrum, its residual, its gap, and their neighbours."""

from __future__ import annotations

from gandiag.quantities.entry import Quantity


def game() -> list[Quantity]:
    group = "game"
    return [
        Quantity(
            "game_eigenvalues_real",
            "Real parts of the leading eigenvalues of the game's Jacobian: all negative = locally stable.",
            shape="vector",
            group=group,
            source="Mescheder et al. 2017; Berard et al. 2020",
        ),
        Quantity(
            "game_eigenvalues_imaginary",
            "Imaginary parts of the same eigenvalues: large against the real parts = rotation.",
            shape="vector",
            group=group,
        ),
        Quantity(
            "game_eigenvalue_residuals",
            "Residual of each of them: it is exact for a Jacobian no farther than that from the true one.",
            range=">= 0",
            better="lower",
            shape="vector",
            group=group,
        ),
        Quantity(
            "game_field_norm",
            "Norm of the game's vector field: 0 at a stationary point.",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "hessian_gradient_evaluations",
            "Gradient evaluations that both players' Hessian extremes cost.",
            unit="count",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "game_eigenvalue_residual",
            "Largest residual of the eigenpairs of largest magnitude.",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "game_gradient_evaluations",
            "Gradient evaluations that the spectrum cost.",
            unit="count",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "generator_hessian_min",
            "Smallest eigenvalue of the generator's own Hessian: negative = not a local Nash equilibrium.",
            group=group,
        ),
        Quantity("generator_hessian_max", "Largest eigenvalue of the generator's own Hessian.", group=group),
        Quantity(
            "discriminator_hessian_min",
            "Smallest eigenvalue of the discriminator's own Hessian: negative = not a local Nash equilibrium.",
            group=group,
        ),
        Quantity("discriminator_hessian_max", "Largest eigenvalue of the discriminator's own Hessian.", group=group),
        Quantity(
            "duality_gap",
            "max over D minus min over G of the game's value by k optimizer steps on held-out data: 0 at a Nash equilibrium.",
            range=">= 0, finite k under-estimates",
            better="lower",
            group=group,
            source="Grnarova et al. 2019",
        ),
        Quantity(
            "extragradient_residual",
            "Norm of the game's vector field one step ahead: 0 if and only if stationary.",
            range=">= 0",
            better="lower",
            group=group,
            source="Gidel et al. 2019",
        ),
        Quantity(
            "path_angle",
            "Cosine between the game's vector field and the way between two checkpoints, along that way.",
            shape="vector",
            range="-1 .. 1",
            group=group,
            source="Berard et al. 2020",
        ),
        Quantity(
            "path_norm",
            "Norm of the game's vector field along the way between two checkpoints.",
            shape="vector",
            range=">= 0",
            group=group,
            source="Berard et al. 2020",
        ),
        Quantity(
            "jacobian_log_condition",
            "Mean log condition number of J^T J of the generator at random latents.",
            range=">= 0",
            better="lower",
            group=group,
            source="Odena et al. 2018",
        ),
        Quantity(
            "jacobian_log_condition_sd", "Standard deviation of the same over latents.", range=">= 0", group=group
        ),
        Quantity(
            "parameter_trace",
            "Coordinates of both players' parameters in a fixed random plane (generator x, y; discriminator x, y); of one or two "
            "parameters, these themselves.",
            shape="vector",
            group=group,
        ),
    ]
