"""Quantities of an evaluation: distances, precision and recall, modes, memorisation, each with the ends of its interval."""

from __future__ import annotations

from gandiag.quantities.entry import Better, Quantity


def evaluation() -> list[Quantity]:
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
            "mode_group",
            "Number of the group that each cluster of the reals belongs to: clusters of one group touch, groups lie apart.",
            range=">= 0",
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
        *interval_ends(),
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


def interval_ends() -> list[Quantity]:
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
