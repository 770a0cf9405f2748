"""Quantities of the two players: losses, gradients, and the forces that they exert on the score."""

from __future__ import annotations

from gandiag.quantities.entry import PLAYERS, Quantity


def losses() -> list[Quantity]:
    group = "losses"
    return [
        Quantity(
            "discriminator_loss",
            "What the discriminator minimises, without its penalties where those are known apart.",
            group=group,
        ),
        Quantity("generator_loss", "What the generator minimises.", group=group),
        Quantity(
            "discriminator_penalty",
            "The penalty that is added to the discriminator's loss (R1, WGAN-GP ...), already weighted.",
            range=">= 0",
            group=group,
        ),
        Quantity(
            "generator_penalty", "The penalty that is added to the generator's loss, already weighted.", group=group
        ),
        Quantity(
            "value_function",
            "E log D(x) + E log(1 - D(G(z))) from the logits: the minimax game's value; -ln 4 = -1.386 where D cannot tell.",
            unit="nats",
            range="<= 0",
            group=group,
            source="Goodfellow et al. 2014",
        ),
        Quantity(
            "jensen_shannon_bound",
            "(value function + ln 4) / 2: a lower bound on the Jensen-Shannon divergence of data and fakes, clipped below at 0.",
            unit="nats",
            range="0 .. ln 2",
            better="lower",
            group=group,
            source="Goodfellow et al. 2014",
        ),
    ]


def gradients() -> list[Quantity]:
    rows: list[Quantity] = []
    for who in PLAYERS:
        group = "gradients"
        rows += [
            Quantity(
                f"{who}_gradient_norm",
                f"L2 norm of the {who}'s gradient as its optimizer used it, at its last update of the step.",
                range=">= 0",
                group=group,
            ),
            Quantity(
                f"{who}_gradient_norm_max",
                f"Largest gradient norm over the {who}'s updates of the step.",
                range=">= 0",
                group=group,
            ),
            Quantity(
                f"{who}_gradient_cosine",
                f"Cosine between the {who}'s gradient and its previous one: near 1 smooth, -1 overshooting.",
                range="-1 .. 1",
                group=group,
            ),
            Quantity(
                f"{who}_stale_gradient_norm",
                f"L2 norm of the part of the {who}'s gradients that came from elsewhere than its own update's passes: left there, or added.",
                range=">= 0",
                group=group,
            ),
            Quantity(f"{who}_parameter_norm", f"L2 norm of the {who}'s parameters.", range=">= 0", group=group),
            Quantity(
                f"{who}_update_ratio",
                f"L2 norm of the {who}'s last update over the norm of its parameters: about 1e-3 is usual.",
                range=">= 0",
                group=group,
            ),
            Quantity(
                f"{who}_learning_rate",
                f"The {who}'s learning rate (the largest of its parameter groups).",
                range=">= 0",
                group=group,
            ),
            Quantity(
                f"{who}_updates",
                f"How many times the {who}'s optimizer stepped within the step.",
                unit="count",
                range=">= 0",
                group=group,
            ),
            Quantity(
                f"{who}_layer_gradient_norm",
                f"Gradient norm of each of the {who}'s parameters.",
                range=">= 0",
                shape="layers",
                group=group,
            ),
            Quantity(
                f"{who}_layer_update_ratio",
                f"Update norm over parameter norm for each of the {who}'s parameters.",
                range=">= 0",
                shape="layers",
                group=group,
            ),
            Quantity(
                f"{who}_layer_spectral_norm",
                f"Largest singular value of each of the {who}'s weight matrices.",
                range=">= 0",
                shape="layers",
                group="spectra",
            ),
            Quantity(
                f"{who}_layer_effective_rank",
                f"exp of the entropy of the normalised singular values of each of the {who}'s weight matrices.",
                range=">= 1",
                shape="layers",
                group="spectra",
                source="Roy and Vetterli 2007",
            ),
            Quantity(
                f"{who}_layer_small_share",
                f"Share of singular values below a tenth of the largest in each of the {who}'s weight matrices.",
                range="0 .. 1",
                shape="layers",
                group="spectra",
                source="Liu et al. 2019 (1908.10999)",
            ),
            Quantity(
                f"{who}_gradient_noise_trace",
                f"Unbiased trace of the covariance of the {who}'s per-sample gradients: average it before any ratio.",
                group="spectra",
                source="McCandlish et al. 2018",
            ),
            Quantity(
                f"{who}_gradient_signal",
                f"Unbiased squared norm of the {who}'s mean gradient; below 0 by chance where noise hides it.",
                group="spectra",
                source="McCandlish et al. 2018",
            ),
            Quantity(
                f"{who}_gradient_noise_scale",
                f"tr(covariance) / |gradient|^2 of the {who}'s per-sample gradients, ratio of unbiased means.",
                unit="samples",
                group="spectra",
                source="McCandlish et al. 2018",
            ),
        ]
    rows += [
        Quantity(
            "gradient_scale",
            "The loss scale of mixed precision; absent where none is used.",
            range="> 0",
            group="gradients",
        ),
    ]
    return rows


def forces() -> list[Quantity]:
    group = "force on the score"
    rows = []
    for who in PLAYERS:
        for what in ("real", "fake"):
            rows.append(
                Quantity(
                    f"{who}_force_on_{what}",
                    f"Batch sum of -d({who} loss)/d(logit) on {what} scores: > 0 pushes them up, 0 is silence.",
                    unit="1/logit",
                    group=group,
                )
            )
            rows.append(
                Quantity(
                    f"{who}_force_size_on_{what}",
                    f"Batch sum of |d({who} loss)/d(logit)| on {what} scores.",
                    unit="1/logit",
                    range=">= 0",
                    group=group,
                )
            )
    rows += [
        Quantity(
            "generator_gradient_at_logit",
            "L2 norm of the generator's gradient at the discriminator's output on fakes.",
            range=">= 0",
            group=group,
        ),
        Quantity(
            "generator_gradient_at_image",
            "L2 norm of the generator's gradient at the fake batch.",
            range=">= 0",
            group=group,
        ),
        Quantity(
            "generator_turn_verdict",
            "Mean of D's outputs on the fakes in the generator's turn: about that in its own turn, where D is the same function there.",
            unit="logit",
            group=group,
        ),
        Quantity(
            "generator_game_share",
            "Norm of what comes to the generator's output through the discriminator, over the norm of all that comes there: 1 = the game alone, "
            "near 0 = another loss (a reconstruction, say) outweighs it, above 1 = the others pull against it.",
            range=">= 0",
            group=group,
        ),
    ]
    return rows
