"""Quantities of the batches: the discriminator's outputs, the diversity of what it is shown, and what a step costs."""

from __future__ import annotations

from gandiag.quantities.entry import LOGIT_BINS, QUANTILES, SKETCHED, Quantity


def logits() -> list[Quantity]:
    rows: list[Quantity] = []
    for what in ("real", "fake"):
        group = "discriminator outputs"
        rows += [
            Quantity(
                f"{what}_logit_{name}",
                f"{text} of the discriminator's logits on the {what} batch.",
                unit="logits",
                group=group,
            )
            for name, text in (("mean", "Mean"), ("sd", "Standard deviation"))
        ]
        rows += [
            Quantity(
                f"{what}_logit_q{q:02d}",
                f"{q} % quantile of the discriminator's logits on the {what} batch.",
                unit="logits",
                group=group,
            )
            for q in QUANTILES
        ]
        rows.append(
            Quantity(
                f"{what}_logit_histogram",
                f"Counts of the {what} batch's logits on {LOGIT_BINS} bins between -10 and 10 and one on "
                "each side; labels are left edges.",
                unit="count",
                range=">= 0",
                shape="vector",
                group=group,
            )
        )
    rows += [
        Quantity(
            "discriminator_auc",
            "P(logit of a real > logit of a fake), ties half, exact by ranks: 1 = D wins, 1/2 = cannot tell, below = inverted.",
            range="0 .. 1",
            group="discriminator outputs",
        ),
        Quantity(
            "discriminator_accuracy",
            "Share of reals with logit > 0 and fakes with logit < 0; means nothing for a critic with a free offset.",
            range="0 .. 1",
            group="discriminator outputs",
        ),
        Quantity(
            "discriminator_ks",
            "Kolmogorov-Smirnov distance between the logits on reals and on fakes.",
            range="0 .. 1",
            group="discriminator outputs",
        ),
        Quantity(
            "discriminator_wasserstein",
            "Wasserstein-1 distance between the logits on reals and on fakes.",
            unit="logits",
            range=">= 0",
            group="discriminator outputs",
        ),
        Quantity(
            "discriminator_calibration_error",
            "Expected calibration error of sigmoid(logit) as P(real), 10 bins.",
            range="0 .. 1",
            better="lower",
            group="discriminator outputs",
        ),
        Quantity(
            "real_sign_mean",
            "E[sign D(real)], the r_t of ADA; invalid for critics with a free offset.",
            range="-1 .. 1",
            group="discriminator outputs",
            source="Karras et al. 2020",
        ),
        Quantity(
            "generator_saturation",
            "Mean of sigmoid(logit) on fakes: the weight of the saturating loss's gradient.",
            range="0 .. 1",
            group="discriminator outputs",
        ),
        Quantity("heldout_logit_mean", "Mean logit on held-out reals.", unit="logits", group="held out"),
        Quantity("heldout_auc", "AUC of held-out reals against fakes.", range="0 .. 1", group="held out"),
        Quantity(
            "auc_gap",
            "AUC on training reals minus AUC on held-out reals; 0 where D does not memorise.",
            range="-1 .. 1",
            better="lower",
            group="held out",
        ),
        Quantity(
            "auc_gap_sd",
            "Standard deviation of the AUC gap under the null of equal distributions.",
            range=">= 0",
            group="held out",
        ),
        Quantity(
            "discriminator_overfitting",
            "r_v = (E D(train) - E D(held out)) / (E D(train) - E D(fake)); absent where the denominator is noise.",
            better="lower",
            group="held out",
            source="Karras et al. 2020",
        ),
    ]
    return rows


def diversity() -> list[Quantity]:
    group = "diversity"
    rows = []
    for what in ("real", "fake"):
        rows += [
            Quantity(
                f"{what}_pairwise_distance",
                f"Mean distance between pairs of the {what} batch under a fixed random projection; absent for a batch of one.",
                range=">= 0",
                group=group,
            ),
            Quantity(
                f"{what}_effective_rank",
                f"Effective rank (participation ratio of the covariance's spectrum) of the projected {what} batch.",
                range=">= 1",
                group=group,
            ),
            Quantity(f"{what}_mean", f"Mean of all values of the {what} batch.", group="ranges"),
            Quantity(
                f"{what}_sd", f"Standard deviation of all values of the {what} batch.", range=">= 0", group="ranges"
            ),
            Quantity(f"{what}_min", f"Smallest value of the {what} batch.", group="ranges"),
            Quantity(f"{what}_max", f"Largest value of the {what} batch.", group="ranges"),
            Quantity(
                f"{what}_batch_repeat",
                f"Share of the {what} batch's values that equal the previous {what} batch's: 1 = the same batch again.",
                range="0 .. 1",
                group="ranges",
            ),
        ]
        rows.append(
            Quantity(
                f"{what}_channel_mean",
                f"Mean of each channel (or coordinate) of the {what} batch.",
                shape="vector",
                group="ranges",
            )
        )
    rows += [
        Quantity(
            "real_centre",
            "Centre of the real batch along eight fixed random directions.",
            shape="vector",
            group="ranges",
        ),
        Quantity(
            "real_centre_error",
            "Standard error of the real batch's centre, by the scatter within it: centres of batches drawn alike scatter by so much over the steps.",
            range=">= 0",
            group="ranges",
        ),
        *(
            Quantity(
                f"{what}_sketch",
                f"{SKETCHED} samples from all over the {what} batch as points of at most eight coordinates, one after the other (along fixed random "
                "directions where samples have more values); NaN where the batch has fewer.",
                shape="vector",
                group="ranges",
            )
            for what in ("real", "fake")
        ),
        Quantity(
            "real_peak_share",
            "Share of the single largest value in the real batch's sum of squared deviations: near 1 = one outlier is all that the batch shows.",
            range="0 .. 1",
            better="lower",
            group="ranges",
        ),
        Quantity(
            "real_interleaving",
            "Mean difference of pixels that are as far apart in a row as there are channels, over that of neighbours: 1 and more in images, far "
            "below where channels-last colours were viewed as channels first.",
            range=">= 0",
            group="ranges",
        ),
    ]
    rows.append(
        Quantity(
            "real_batch_collision",
            "Share of pairs (a sample of the real batch, one of the batch before) that are the same to the last bit: 1/N for N "
            "different samples drawn evenly, 0 where none was seen twice.",
            range="0 .. 1",
            group="ranges",
            source="Arora and Zhang 2017",
        )
    )
    rows.append(
        Quantity(
            "diversity_ratio",
            "Pairwise distance of the fakes over that of the reals: 1 = as diverse, 0 = one point.",
            range=">= 0",
            better="higher",
            group=group,
        )
    )
    rows += [
        Quantity(
            "energy_coefficient",
            "Energy distance of the batch's fakes from its reals (projected), over twice their mean distance: 0 = one distribution, 1 = two points. "
            "Unbiased, so that chance puts it below 0 as well.",
            range="<= 1",
            better="lower",
            group=group,
            source="Székely and Rizzo 2013",
        ),
        Quantity(
            "marginal_energy",
            "Energy coefficient of each column (or channel) of the fakes from that of the reals: 0 = one distribution, 1 = two points.",
            range="<= 1",
            better="lower",
            shape="vector",
            group=group,
            source="Székely and Rizzo 2013",
        ),
        *(
            Quantity(
                f"{what}_roughness",
                f"Mean square difference of neighbouring values of a {what} sample (along its last axis, and along both of an image) over the "
                "batch's variance: 2 = noise, 0 = smooth.",
                range=">= 0",
                group=group,
                source="von Neumann 1941",
            )
            for what in ("real", "fake")
        ),
        Quantity(
            "shown_fake_energy",
            "Energy coefficient between the fakes that D was shown in its turn and those that G made in its own: "
            "near 0 = one distribution (noise and pools of recent fakes too), large = D is trained on others.",
            range="<= 1",
            better="lower",
            group=group,
        ),
        Quantity(
            "fake_nearest_real",
            "Mean distance of a fake to the nearest real of the batch, over that of a real to the nearest different real: 1 = as near, "
            "0 = copies of the reals, large = fakes where no reals are.",
            range=">= 0",
            group=group,
        ),
        Quantity(
            "real_nearest_fake",
            "Mean distance of a real to the nearest fake of the batch, over that of a real to the nearest different real: 1 = as near, "
            "large = reals that no fake comes near.",
            range=">= 0",
            better="lower",
            group=group,
        ),
    ]
    return rows


def cost() -> list[Quantity]:
    group = "cost"
    return [
        Quantity(
            "nonfinite",
            "How many of the recorded scalars (losses, gradient norms, logits' means) are NaN or infinite at this step.",
            unit="count",
            range=">= 0",
            better="lower",
            group="numerics",
        ),
        Quantity("wall_time", "Seconds since the recording began.", unit="s", range=">= 0", group=group),
        Quantity(
            "step_seconds", "Wall time of the step on the host.", unit="s", range=">= 0", better="lower", group=group
        ),
        Quantity(
            "data_wait_seconds",
            "Time of the step in which the loop waited for data.",
            unit="s",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "images_per_second",
            "Real samples shown to the discriminator per second.",
            unit="1/s",
            range=">= 0",
            better="higher",
            group=group,
        ),
        Quantity(
            "images_seen",
            "Real samples shown to the discriminator since the start.",
            unit="count",
            range=">= 0",
            group=group,
        ),
        Quantity(
            "device_memory_bytes",
            "Peak memory allocated on the device.",
            unit="B",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "probe_seconds",
            "Host time that each probe took, since the last row.",
            unit="s",
            range=">= 0",
            better="lower",
            shape="vector",
            group=group,
        ),
        Quantity(
            "augmentation_probability", "p of adaptive discriminator augmentation.", range="0 .. 1", group="training"
        ),
    ]
