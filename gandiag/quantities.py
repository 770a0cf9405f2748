"""QUANTITIES: what each recorded series means, its unit, its range, and which way is better. The vocabulary of every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "neither"]
Shape = Literal["scalar", "layers", "vector"]


@dataclass(frozen=True)
class Quantity:
    """One recorded quantity: `name` is the series' public name, which stays stable."""

    name: str
    meaning: str
    unit: str = ""
    range: str = "any"
    better: Better = "neither"
    shape: Shape = "scalar"
    group: str = ""
    source: str = ""


PLAYERS = ("discriminator", "generator")
QUANTILES = (5, 25, 50, 75, 95)
LOGIT_BIN_LIMIT = 10.0  # logits beyond +-10 are certain to 5e-5: the outer bins hold them
LOGIT_BINS = 40  # fixed bins of width 0.5 between -10 and 10, plus one below and one above


def logit_bin_labels() -> list[str]:
    """Returns the left edges of the histogram's bins as text: '-inf', '-10', '-9.5' ... '10' (LOGIT_BINS + 2 bins)."""
    width = 2 * LOGIT_BIN_LIMIT / LOGIT_BINS
    return ["-inf"] + [f"{-LOGIT_BIN_LIMIT + width * i:g}" for i in range(LOGIT_BINS + 1)]


def _losses() -> list[Quantity]:
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


def _gradients() -> list[Quantity]:
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


def _logits() -> list[Quantity]:
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


def _forces() -> list[Quantity]:
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
    ]
    return rows


def _diversity() -> list[Quantity]:
    group = "diversity"
    rows = []
    for what in ("real", "fake"):
        rows += [
            Quantity(
                f"{what}_pairwise_distance",
                f"Mean distance between pairs of the {what} batch under a fixed random projection.",
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
    return rows


def _cost() -> list[Quantity]:
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


def _game() -> list[Quantity]:
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
            "Coordinates of both players' parameters in a fixed random plane (generator x, y; discriminator x, y).",
            shape="vector",
            group=group,
        ),
    ]


def _evaluation() -> list[Quantity]:
    """Scores on features carry the features' name in brackets: frechet_distance[digits-cnn]."""
    group = "quality"
    return [
        Quantity(
            "frechet_distance",
            "Frechet distance between Gaussians fitted to real and fake features; FID only on the Inception features.",
            range=">= 0",
            better="lower",
            group=group,
            source="Heusel et al. 2017",
        ),
        Quantity(
            "frechet_distance_low",
            "Lower end of the 95 % interval of the true Frechet distance: its bias of order 1/N is taken out.",
            better="lower",
            group=group,
        ),
        Quantity(
            "frechet_distance_high",
            "Upper end of that interval; it may lie below the distance as reported, which is biased upwards.",
            better="lower",
            group=group,
        ),
        Quantity(
            "frechet_distance_error",
            "Standard error of the Frechet distance at this N, by the jackknife: for comparing scores of the same N.",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "frechet_distance_floor",
            "Frechet distance of reals against other reals at the same N: the best that can be read.",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "kernel_distance",
            "Squared MMD with the cubic polynomial kernel (KID), unbiased.",
            better="lower",
            group=group,
            source="Binkowski et al. 2018",
        ),
        Quantity(
            "frechet_distance_infinity",
            "Frechet distance regressed on 1/N to infinitely many fakes: its bias of order 1/N is taken out.",
            better="lower",
            group=group,
            source="Chong and Forsyth 2020",
        ),
        Quantity(
            "kernel_distance_low", "Lower end of the 95 % interval of the kernel distance.", better="lower", group=group
        ),
        Quantity(
            "kernel_distance_high",
            "Upper end of the 95 % interval of the kernel distance.",
            better="lower",
            group=group,
        ),
        Quantity(
            "kernel_distance_error",
            "Standard error of the kernel distance, as a U-statistic.",
            range=">= 0",
            better="lower",
            group=group,
        ),
        Quantity(
            "kernel_distance_subsets",
            "Mean kernel distance over 100 subsets of 1000, drawn as torch-fidelity does: KID as it is usually printed.",
            better="lower",
            group=group,
            source="Binkowski et al. 2018",
        ),
        Quantity(
            "kernel_distance_subsets_sd",
            "Standard deviation over those subsets: neither a standard error nor an interval.",
            range=">= 0",
            group=group,
        ),
        Quantity(
            "prd_f8",
            "F8 of the precision-recall curve of clusters' histograms: weighs recall.",
            range="0 .. 1",
            better="higher",
            group=group,
            source="Sajjadi et al. 2018",
        ),
        Quantity(
            "prd_f_eighth",
            "F1/8 of the same curve: weighs precision.",
            range="0 .. 1",
            better="higher",
            group=group,
            source="Sajjadi et al. 2018",
        ),
        Quantity(
            "inception_score_sd",
            "Standard deviation of the Inception Score over its splits.",
            range=">= 0",
            group=group,
        ),
        Quantity(
            "bin_share_different",
            "NDB/K: share of k-means bins whose shares differ significantly; about 0.05 for equal distributions.",
            range="0 .. 1",
            better="lower",
            group=group,
            source="Richardson and Weiss 2018",
        ),
        Quantity(
            "bin_jensen_shannon",
            "Jensen-Shannon divergence of those bins' shares; about (K-1)/8 (1/n + 1/m) for equal distributions.",
            unit="nats",
            range="0 .. ln 2",
            better="lower",
            group=group,
            source="Richardson and Weiss 2018",
        ),
        Quantity(
            "birthday_support",
            "Support size that the share of batches with a duplicate implies; absent where no duplicate was seen.",
            unit="samples",
            range=">= 0",
            better="higher",
            group=group,
            source="Arora and Zhang 2017",
        ),
        Quantity(
            "sliced_wasserstein",
            "Sliced 2-Wasserstein distance over 512 random directions.",
            range=">= 0",
            better="lower",
            group=group,
            source="Bonneel et al. 2015",
        ),
        Quantity(
            "gaussian_kernel_distance",
            "1000 times the squared MMD with a Gaussian kernel of the reals' median distance, diagonal included (CMMD's form).",
            range=">= 0",
            better="lower",
            group=group,
            source="Jayasumana et al. 2024",
        ),
        Quantity(
            "memorisation_informed_frechet_distance",
            "Frechet distance over the mean smallest cosine distance to a real, where that is below 0.1: explodes for copies.",
            range=">= 0",
            better="lower",
            group="memorisation",
            source="Bai et al. 2021",
        ),
        Quantity(
            "precision",
            "Share of fakes inside the reals' manifold (k nearest neighbours): quality.",
            range="0 .. 1",
            better="higher",
            group=group,
            source="Kynkaanniemi et al. 2019",
        ),
        Quantity(
            "recall",
            "Share of reals inside the fakes' manifold: diversity; low when modes are lost.",
            range="0 .. 1",
            better="higher",
            group=group,
            source="Kynkaanniemi et al. 2019",
        ),
        Quantity(
            "density",
            "Mean number of real balls that hold a fake, over k; blind to collapse.",
            range=">= 0",
            better="higher",
            group=group,
            source="Naeem et al. 2020",
        ),
        Quantity(
            "coverage",
            "Share of reals whose ball holds a fake.",
            range="0 .. 1",
            better="higher",
            group=group,
            source="Naeem et al. 2020",
        ),
        Quantity(
            "modes_covered",
            "Modes of the known mixture, or classes by the classifier, that the fakes hit (at least 20 samples of 2500, or the same share).",
            unit="count",
            range="0 .. modes",
            better="higher",
            group="modes",
        ),
        Quantity(
            "modes_hit",
            "Modes or classes with at least one (high-quality) sample: what papers call modes captured.",
            unit="count",
            range="0 .. modes",
            better="higher",
            group="modes",
            source="VEEGAN, Srivastava et al. 2017",
        ),
        Quantity("modes_total", "How many modes or classes the data has.", unit="count", range=">= 1", group="modes"),
        Quantity(
            "high_quality_share",
            "Share of fakes within 3 standard deviations of the nearest mode; a perfect sampler in 2-D reads 0.989.",
            range="0 .. 1",
            better="higher",
            group="modes",
            source="VEEGAN, Srivastava et al. 2017",
        ),
        Quantity(
            "mode_kl",
            "KL(fakes' mode histogram || data's mode histogram): 0 = every mode as often as in the data.",
            unit="nats",
            range=">= 0",
            better="lower",
            group="modes",
            source="PacGAN, Lin et al. 2018",
        ),
        Quantity(
            "mode_sd_ratio",
            "Within-mode standard deviation of the fakes over the data's: below 1 = shrunken modes.",
            range=">= 0",
            group="modes",
        ),
        Quantity(
            "mode_histogram", "Share of the fakes in each mode or class.", range="0 .. 1", shape="vector", group="modes"
        ),
        Quantity(
            "data_mode_histogram",
            "Share of the data in each mode or class.",
            range="0 .. 1",
            shape="vector",
            group="modes",
        ),
        Quantity(
            "class_recall",
            "Recall of each class of the data.",
            range="0 .. 1",
            better="higher",
            shape="vector",
            group="modes",
        ),
        Quantity(
            "inception_score",
            "exp of the mean KL between p(y|x) and p(y).",
            range="1 .. classes",
            better="higher",
            group=group,
            source="Salimans et al. 2016",
        ),
        Quantity(
            "vendi_score",
            "exp of the Shannon entropy of the similarity kernel's spectrum: the effective number of distinct samples.",
            range="1 .. n",
            better="higher",
            group=group,
            source="Friedman and Dieng 2023",
        ),
        Quantity(
            "rke_score",
            "1 / mean squared Gaussian similarity of pairs at the reals' median distance: the number of modes at that scale.",
            range="1 .. n",
            better="higher",
            group=group,
            source="Jalali et al. 2023",
        ),
        *_interval_ends(),
        Quantity(
            "authenticity",
            "Share of fakes that are farther from their nearest training sample than that sample is from its own neighbour.",
            range="0 .. 1",
            group="memorisation",
            source="Alaa et al. 2022",
        ),
        Quantity(
            "copying_z",
            "C_T: z of the data-copying test; far below 0 = copies of the training set.",
            group="memorisation",
            source="Meehan et al. 2020",
        ),
        Quantity(
            "nearest_real_distance",
            "Median distance of fakes to the nearest training sample over that of held-out reals to theirs.",
            range=">= 0",
            group="memorisation",
        ),
    ]


def _interval_ends() -> list[Quantity]:
    """The two ends of each 95 % interval that is no Frechet and no kernel distance's: by what it is made, and of what."""
    share = "exact binomial, given the other side's balls"
    made: dict[str, tuple[Better, str]] = {
        "precision": ("higher", share),
        "recall": ("higher", share),
        "coverage": ("higher", "exact binomial"),
        "authenticity": ("neither", "exact binomial"),
        "vendi_score": ("higher", "delta method, of the score at this N"),
        "inception_score": ("higher", "delta method, of the score at this N"),
        "sliced_wasserstein": ("lower", "block jackknife, the bias of order 1/N taken out"),
        "gaussian_kernel_distance": ("lower", "block jackknife, the bias of order 1/N taken out"),
    }
    return [
        Quantity(f"{name}_{end}", f"{words} end of the 95 % interval of {name}: {how}.", better=better, group="quality")
        for name, (better, how) in made.items()
        for end, words in (("low", "Lower"), ("high", "Upper"))
    ]


QUANTITIES: dict[str, Quantity] = {
    q.name: q
    for family in (_losses, _gradients, _logits, _forces, _diversity, _cost, _game, _evaluation)
    for q in family()
}


def quantity(name: str) -> Quantity | None:
    """Returns the entry for a series' name; features in brackets are ignored: frechet_distance[digits-cnn]."""
    return QUANTITIES.get(name.split("[", 1)[0])


def as_markdown() -> str:
    """Returns docs/metrics.md: every quantity, by group. `python -m gandiag.quantities > docs/metrics.md` remakes the page."""
    lines = [
        "# Every quantity that a run can hold",
        "",
        "Made from `gandiag/quantities.py` by `python -m gandiag.quantities > docs/metrics.md`; a test holds the two equal.",
        'Read one with `gandiag.load_run("runs/mine")["generator_gradient_norm"]` (a pandas Series by step, measured steps only),',
        "a per-layer one or a histogram with `run.layers(name)`. Scores on features carry the features' name: `frechet_distance[digits-cnn]`.",
        "*Better* is empty where neither direction is: the diagnosis, not the sign, says what is healthy.",
    ]
    for group in dict.fromkeys(q.group for q in QUANTITIES.values()):
        lines += [
            "",
            f"## {group.capitalize()}",
            "",
            "| series | what it is | unit | range | better | source |",
            "|---|---|---|---|---|---|",
        ]
        for q in QUANTITIES.values():
            if q.group == group:
                form = {"scalar": "", "layers": " *(per layer)*", "vector": " *(vector)*"}[q.shape]
                better = "" if q.better == "neither" else q.better
                cells = (f"`{q.name}`{form}", q.meaning, q.unit, q.range, better, q.source)
                lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(as_markdown())
