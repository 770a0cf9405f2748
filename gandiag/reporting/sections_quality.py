"""Sections on quality: Fréchet and kernel distance, precision and recall, memorisation, other scores."""

from __future__ import annotations

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.reporting.curves import curves, describe, on_features
from gandiag.reporting.figures import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Curve,
    Trace,
    path,
    ribbon,
)
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.run import Run

CHAPTER = "Quality"
UNBIASED = "95 % interval without the small-sample bias"
DECADE = 10.0


def frechet(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws each Frechet distance with its interval and its real-against-real floor."""

    def draw() -> Drawing:
        names = on_features(run, "frechet_distance")
        if not names:
            raise NotRecorded("frechet_distance")
        styles = ((BLUE, "solid"), (VERMILLION, "dash"), (PURPLE, "dot"))
        under: list[Trace] = []
        wanted: list[Curve] = []
        positive = all(float(run[n].min()) > 0 for n in names)
        lowest = min(float(run[n].min()) for n in names) / DECADE if positive else None
        for name, (color, dash) in zip(names, styles * len(names)):
            features = name.removeprefix("frechet_distance")
            wanted.append(Curve(name, f"Fréchet distance {features}".strip(), color, dash))
            ends = (f"frechet_distance_low{features}", f"frechet_distance_high{features}")
            under += _interval(run, *ends, color, name=UNBIASED, above=lowest)
            if f"frechet_distance_infinity{features}" in run:
                wanted.append(Curve(f"frechet_distance_infinity{features}", "to infinitely many fakes", SKY, "dot"))
            if f"frechet_distance_floor{features}" in run:
                wanted.append(
                    Curve(f"frechet_distance_floor{features}", "floor: reals against reals", GREEN, "dashdot")
                )
        return curves(run, diagnosis, wanted, y="distance", under=under, log=positive)

    return panel(
        "Fréchet distance",
        chapter=CHAPTER,
        lead="Falls towards the floor that reals against other reals reach, and does not turn up again. "
        "The band has the small-sample bias taken out, which the curve and the floor still hold: it may lie below both. "
        "Only on Inception features is it the FID of papers.",
        draw=draw,
        wide=True,
    )


def precision_recall(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws precision against recall as a path through time."""

    def draw() -> Drawing:
        names = on_features(run, "precision") or ["precision"]
        precision, recall = run[names[0]].align(run[names[0].replace("precision", "recall", 1)], join="inner")
        if not len(precision):
            raise NotRecorded("precision, recall", "no evaluation holds both")
        figure = path(
            recall.to_numpy(),
            precision.to_numpy(),
            precision.index.to_numpy(),
            x_title="recall (diversity)",
            y_title="precision (fidelity)",
            name="precision and recall",
        )
        figure["data"][0]["meta"] = f"{recall.name}, {precision.name}"
        for axis in ("xaxis", "yaxis"):
            figure["layout"][axis]["range"] = [-0.03, 1.03]
        return Drawing(
            figure,
            describe(precision, "Precision") + " " + describe(recall, "Recall"),
            (str(precision.name), str(recall.name)),
        )

    return panel(
        "Precision and recall",
        chapter=CHAPTER,
        lead="Moves to the upper right corner; high precision with low recall is a collapse.",
        draw=draw,
    )


def neighbours(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws precision, recall, density and coverage over steps."""
    wanted = [
        Curve("precision", "precision", BLUE),
        Curve("recall", "recall", VERMILLION, "dash"),
        Curve("coverage", "coverage", GREEN, "dot", optional=True),
        Curve("density", "density", ORANGE, "dashdot", optional=True),
    ]
    return panel(
        "Fidelity and diversity over time",
        chapter=CHAPTER,
        lead="All rise together. Density is blind to collapse; recall and coverage are not.",
        draw=lambda: curves(run, diagnosis, wanted, y="score"),
    )


def kernel(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws every kernel distance with its interval."""

    def draw() -> Drawing:
        names = on_features(run, "kernel_distance") or ["kernel_distance"]
        looks = ((BLUE, "solid"), (VERMILLION, "dash"), (PURPLE, "dot"))
        under: list[Trace] = []
        wanted: list[Curve] = []
        for name, (color, dash) in zip(names, looks * len(names)):
            features = name.removeprefix("kernel_distance")
            under += _interval(run, f"kernel_distance_low{features}", f"kernel_distance_high{features}", color)
            wanted.append(Curve(name, f"kernel distance {features}".strip(), color, dash))
        return curves(run, diagnosis, wanted, y="squared MMD", under=under, references=[(0.0, "no difference")])

    return panel("Kernel distance", chapter=CHAPTER, lead="Falls to 0 within its interval and stays.", draw=draw)


def _interval(
    run: Run, low: str, high: str, color: str, *, name: str = "95 % interval", above: float | None = None
) -> list[Trace]:
    """Returns the ribbon between two ends of an interval, nothing where they were not recorded.

    An end at 0 has no place on a log axis: `above` is the lowest value at which an edge is then drawn.
    """
    try:
        lower, upper = run[low].align(run[high], join="inner")
    except NotRecorded:
        return []
    if above is not None:
        lower, upper = lower.clip(lower=above), upper.clip(lower=above)
    return ribbon(lower, upper, name=name, color=color, opacity=0.18)


def memorisation(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the scores that tell copies of the training set."""
    wanted = [
        Curve("nearest_real_distance", "nearest real, fakes / held-out reals", optional=True),
        Curve("authenticity", "authenticity", GREEN, "dash", optional=True),
        Curve("copying_z", "C_T (z)", VERMILLION, "dot", optional=True),
    ]
    return panel(
        "Copies of the training set",
        chapter=CHAPTER,
        lead="The first near 1, C_T not far below 0: fakes lie no nearer to the training set than new reals do.",
        draw=lambda: curves(run, diagnosis, wanted, y="score"),
    )


def other_scores(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the Inception Score and the Vendi score."""
    wanted = [
        Curve("vendi_score", "Vendi score", BLUE, optional=True),
        Curve("inception_score", "Inception Score", VERMILLION, "dash", optional=True),
    ]
    return panel(
        "Vendi and Inception Score",
        chapter=CHAPTER,
        lead="Rise and level off near the data's own value.",
        draw=lambda: curves(run, diagnosis, wanted, y="effective number"),
    )


def other_distances(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the remaining distances between fakes and reals."""
    wanted = [
        Curve("sliced_wasserstein", "sliced Wasserstein", BLUE, optional=True),
        Curve("gaussian_kernel_distance", "Gaussian kernel (CMMD's form)", VERMILLION, "dash", optional=True),
        Curve("memorisation_informed_frechet_distance", "memorisation-informed Fréchet", PURPLE, "dot", optional=True),
        Curve("bin_jensen_shannon", "Jensen–Shannon of bins", GREEN, "dashdot", optional=True),
    ]
    return panel(
        "Other distances",
        chapter=CHAPTER,
        lead="All fall together and level off.",
        draw=lambda: curves(run, diagnosis, wanted, y="distance", log=None),
    )
