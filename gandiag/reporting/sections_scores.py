"""Sections on what D says and what the samples are worth: outputs, separation, diversity, modes, quality, cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.quantities import LOGIT_BIN_LIMIT, LOGIT_BINS
from gandiag.reporting.curves import curves, describe, recorded
from gandiag.reporting.figures import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Curve,
    Trace,
    bars,
    heatmap,
    hills,
    path,
    ribbon,
)
from gandiag.reporting.numbers import number, percent, size
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.run import Run

OUTPUTS, DIVERSITY, QUALITY, COST = "The discriminator's outputs", "Diversity and modes", "Quality", "Cost"
REAL, FAKE, HELD_OUT = GREEN, ORANGE, PURPLE


def output_quantiles(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws quantile ribbons of D's logits on reals and fakes."""

    def draw() -> Drawing:
        under: list[Trace] = []
        for what, color in (("real", REAL), ("fake", FAKE)):
            for low, high, opacity in (("q05", "q95", 0.12), ("q25", "q75", 0.25)):
                try:
                    edges = run[f"{what}_logit_{low}"], run[f"{what}_logit_{high}"]
                except NotRecorded:
                    continue
                lower, upper = edges[0].align(edges[1], join="inner")
                under += ribbon(
                    lower, upper, name=f"{what} {int(low[1:])}–{int(high[1:])} %", color=color, opacity=opacity
                )
        middle = "q50" if "real_logit_q50" in run or "fake_logit_q50" in run else "mean"
        wanted = [
            Curve(f"real_logit_{middle}", "real median" if middle == "q50" else "real mean", REAL),
            Curve(f"fake_logit_{middle}", "fake median" if middle == "q50" else "fake mean", FAKE, "dash"),
        ]
        wanted.append(Curve("heldout_logit_mean", "held-out mean", HELD_OUT, "dot", optional=True))
        return curves(run, diagnosis, wanted, y="logit", under=under, references=[(0.0, "undecided")])

    return panel(
        "Outputs on reals and fakes",
        chapter=OUTPUTS,
        lead="The ribbons of reals and fakes overlap more and more and stay near 0; two ribbons "
        "that part for good mean that D has won.",
        draw=draw,
        wide=True,
    )


def output_histogram_real(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the distribution of D's logits on reals over steps."""
    return _histogram(run, diagnosis, "real")


def output_histogram_fake(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the distribution of D's logits on fakes over steps."""
    return _histogram(run, diagnosis, "fake")


def _histogram(run: Run, diagnosis: Diagnosis, what: str) -> Panel:
    def draw() -> Drawing:
        name = f"{what}_logit_histogram"
        shares = _shares(run.layers(name))
        middle = shares.columns.to_numpy()[np.argmax(shares.to_numpy(), axis=1)]
        outside = shares.iloc[-1, [0, -1]].sum()
        shares.attrs["series"] = name
        figure = heatmap(shares, diagnosis, run.steps, y="logit", value="share", numeric=True)
        return Drawing(
            figure,
            f"The fullest bin lies at {number(float(middle[0]))} at first and at {number(float(middle[-1]))} at last; "
            f"{percent(float(outside))} of the last batch lie beyond ±{LOGIT_BIN_LIMIT:g}.",
            (name,),
        )

    return panel(
        f"Distribution on {what}s over time",
        chapter=OUTPUTS,
        lead="One band that stays near 0; a band that leaves for the rim has saturated, two "
        "bands are two kinds of sample.",
        draw=draw,
    )


def _shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Returns counts as shares of each step, with the middles of the bins as columns (the open bins half a width outside)."""
    width = 2 * LOGIT_BIN_LIMIT / LOGIT_BINS
    table = counts.to_numpy().astype(np.float64)
    total = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, total, out=np.full_like(table, np.nan), where=total > 0)
    if counts.shape[1] == LOGIT_BINS + 2:
        middles = [-LOGIT_BIN_LIMIT + width * (i - 0.5) for i in range(LOGIT_BINS + 2)]
    else:
        middles = [float(i) for i in range(counts.shape[1])]
    return pd.DataFrame(np.nan_to_num(shares), index=counts.index, columns=middles)


def output_overlay(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the distributions of D's logits on reals and fakes over each other, at the last step."""

    def draw() -> Drawing:
        real, fake = _shares(run.layers("real_logit_histogram")), _shares(run.layers("fake_logit_histogram"))
        groups = [("real", real.iloc[-1].to_numpy(), REAL, "solid"), ("fake", fake.iloc[-1].to_numpy(), FAKE, "dash")]
        if "heldout_logit_histogram" in run:
            groups.append(
                ("held out", _shares(run.layers("heldout_logit_histogram")).iloc[-1].to_numpy(), HELD_OUT, "dot")
            )
        figure = hills(real.columns.to_numpy(), groups, x_title="logit (middle of the bin)", y_title="share")
        overlap = float(np.minimum(groups[0][1], groups[1][1]).sum())
        return Drawing(
            figure,
            f"At step {number(int(real.index[-1]))} the two distributions share {percent(overlap)} of their mass.",
            ("real_logit_histogram", "fake_logit_histogram"),
        )

    return panel("Outputs at the last step", chapter=OUTPUTS, lead="Two hills that largely overlap.", draw=draw)


def separation(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws AUC, accuracy and KS of D."""
    wanted = [
        Curve("discriminator_auc", "AUC"),
        Curve("discriminator_ks", "Kolmogorov–Smirnov", GREEN, "dot"),
        Curve("discriminator_accuracy", "accuracy", SKY, "dash"),
        Curve("heldout_auc", "AUC, held out", PURPLE, "dashdot", optional=True),
    ]
    return panel(
        "How well D tells them apart",
        chapter=OUTPUTS,
        lead="AUC falls from near 1 to between .5 and .85 and stays. Near .5 is an equilibrium or a "
        "rotating collapse: the modes decide which.",
        draw=lambda: curves(
            run, diagnosis, wanted, y="0 … 1", y_range=(-0.02, 1.02), references=[(0.5, "AUC of a guess")]
        ),
    )


def output_distance(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws Wasserstein-1 of the logits."""
    wanted = [Curve("discriminator_wasserstein", "Wasserstein-1 of the logits")]
    return panel(
        "Distance of the outputs",
        chapter=OUTPUTS,
        lead="Levels off at a small value.",
        draw=lambda: curves(run, diagnosis, wanted, y="logits"),
    )


def calibration(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws calibration error, sign mean and saturation."""
    wanted = [
        Curve("discriminator_calibration_error", "calibration error", optional=True),
        Curve("real_sign_mean", "E sign D(real)", GREEN, "dash"),
        Curve("generator_saturation", "σ(logit) on fakes", VERMILLION, "dot"),
    ]
    return panel(
        "Calibration and saturation",
        chapter=OUTPUTS,
        lead="Calibration error near 0; σ(logit) on fakes well above 0, or a saturating loss has no "
        "gradient left. Signs mean nothing for a Wasserstein critic.",
        draw=lambda: curves(run, diagnosis, wanted, y="0 … 1"),
    )


def overfitting(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the AUC gap between training and held-out reals."""
    wanted = [
        Curve("auc_gap", "AUC gap, train − held out"),
        Curve("auc_gap_sd", "its sd by chance", ORANGE, "dot"),
        Curve("discriminator_overfitting", "r_v", PURPLE, "dash", optional=True),
    ]
    return panel(
        "Does D memorise?",
        chapter=OUTPUTS,
        lead="The gap stays within about three of its chance deviations.",
        draw=lambda: curves(run, diagnosis, wanted, y="gap"),
    )


def batch_diversity(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the fakes' diversity over that of the reals."""
    wanted = [Curve("diversity_ratio", "diversity of fakes / reals", VERMILLION)]
    return panel(
        "Diversity of a batch",
        chapter=DIVERSITY,
        lead="Rises to about 1 and stays; towards 0 all fakes are one point.",
        draw=lambda: curves(run, diagnosis, wanted, y="ratio", references=[(1.0, "as diverse as the data")]),
    )


def effective_rank(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the effective rank of both batches."""
    wanted = [Curve("real_effective_rank", "real", REAL), Curve("fake_effective_rank", "fake", FAKE, "dash")]
    return panel(
        "Effective rank of a batch",
        chapter=DIVERSITY,
        lead="The fakes' rank reaches that of the reals.",
        draw=lambda: curves(run, diagnosis, wanted, y="directions"),
    )


def batch_range(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws smallest, mean and largest values of both batches."""
    wanted = [
        Curve("real_min", "real smallest", REAL),
        Curve("real_max", "real largest", REAL),
        Curve("fake_min", "fake smallest", FAKE, "dash"),
        Curve("fake_max", "fake largest", FAKE, "dash"),
        Curve("real_mean", "real mean", SKY, "dot"),
        Curve("fake_mean", "fake mean", VERMILLION, "dot"),
    ]
    return panel(
        "Range of the values",
        chapter=DIVERSITY,
        lead="Reals and fakes live in the same range; [0, 1] against [−1, 1] is the commonest bug of all.",
        draw=lambda: curves(run, diagnosis, wanted, y="value"),
    )


def modes(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws modes covered against the number that the data has."""

    def draw() -> Drawing:
        total = float(run["modes_total"].iloc[-1]) if "modes_total" in run else None
        references = [(total, f"the data's {number(total)}")] if total else []
        top = max(total or 0, float(run["modes_covered"].max())) * 1.12 + 0.2
        return curves(
            run,
            diagnosis,
            [Curve("modes_covered", "modes covered", VERMILLION)],
            y="modes or classes",
            references=references,
            y_range=(-0.2, top),
        )

    return panel("Modes covered", chapter=DIVERSITY, lead="Reaches the data's number and stays there.", draw=draw)


def mode_quality(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws high-quality share, KL of the histogram, and spread within modes."""
    wanted = [
        Curve("high_quality_share", "high-quality share", GREEN, optional=True),
        Curve("mode_kl", "KL to the data's histogram (nats)", VERMILLION, "dash"),
        Curve("mode_sd_ratio", "spread within modes / data's", PURPLE, "dot", optional=True),
    ]
    return panel(
        "How the modes are filled",
        chapter=DIVERSITY,
        lead="High-quality share near .99 for 2-D mixtures (above it the modes have shrunk), KL near 0, spread near 1.",
        draw=lambda: curves(run, diagnosis, wanted, y="value"),
    )


def class_histogram(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws how the fakes spread over modes or classes against the data, at the last evaluation."""

    def draw() -> Drawing:
        table = run.layers("mode_histogram")
        fakes = table.iloc[-1].to_numpy()
        groups = [("fakes", fakes, FAKE, "/")]
        data = _data_histogram(run, table)
        if data is not None:
            groups.insert(0, ("data", data, REAL, ""))
        figure = bars(_class_names(run, table), groups, x_title="mode or class", y_title="share")
        fullest = int(np.argmax(fakes))
        lost = int((fakes == 0).sum())
        return Drawing(
            figure,
            f"At step {number(int(table.index[-1]))} the fullest is {_class_names(run, table)[fullest]} with "
            f"{percent(float(fakes[fullest]))}; {lost} of {len(fakes)} get no sample.",
            ("mode_histogram", "data_mode_histogram"),
        )

    return panel(
        "Class histogram against the data's",
        chapter=DIVERSITY,
        lead="Bars of fakes and data are equally high.",
        draw=draw,
    )


def class_history(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the share of each mode or class over steps."""

    def draw() -> Drawing:
        table = run.layers("mode_histogram")
        named = table.set_axis(_class_names(run, table), axis=1)
        named.attrs["series"] = "mode_histogram"
        even = 2 / max(1, table.shape[1])  # an even spread lies in the middle of the colours
        figure = heatmap(
            named,
            diagnosis,
            run.steps,
            y="",
            value="share",
            limits=(0.0, max(even, float(np.nanmax(table.to_numpy())))),
        )
        leaders = np.argmax(table.to_numpy(), axis=1)
        changes = int((np.diff(leaders) != 0).sum())
        return Drawing(
            figure,
            f"The fullest mode changed {number(changes)} times in {number(len(table))} evaluations.",
            ("mode_histogram",),
        )

    return panel(
        "Modes through time",
        chapter=DIVERSITY,
        lead="Every row keeps an even colour; a bright cell that wanders is a rotating collapse.",
        draw=draw,
    )


def _data_histogram(run: Run, table: pd.DataFrame) -> np.ndarray | None:
    try:
        data = run.layers("data_mode_histogram").iloc[-1].to_numpy()
    except NotRecorded:
        return None
    return data if len(data) == table.shape[1] else None


def _class_names(run: Run, table: pd.DataFrame) -> list[str]:
    data = run.about.get("data")
    given = data.get("classes") if isinstance(data, dict) else None
    if isinstance(given, list) and len(given) == table.shape[1]:
        return [str(c) for c in given]
    return [str(c) for c in table.columns]


def frechet(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws each Frechet distance with its interval and its real-against-real floor."""

    def draw() -> Drawing:
        names = [n for n in run.names if n.split("[", 1)[0] == "frechet_distance"]
        if not names:
            raise NotRecorded("frechet_distance")
        styles = ((BLUE, "solid"), (VERMILLION, "dash"), (PURPLE, "dot"))
        under: list[Trace] = []
        wanted: list[Curve] = []
        for name, (color, dash) in zip(names, styles * len(names)):
            features = name.removeprefix("frechet_distance")
            wanted.append(Curve(name, f"Fréchet distance {features}".strip(), color, dash))
            try:
                low, high = run[f"frechet_distance_low{features}"].align(
                    run[f"frechet_distance_high{features}"], join="inner"
                )
                under += ribbon(low, high, name="95 % interval", color=color, opacity=0.18)
            except NotRecorded:
                pass
            if f"frechet_distance_floor{features}" in run:
                wanted.append(
                    Curve(f"frechet_distance_floor{features}", "floor: reals against reals", GREEN, "dashdot")
                )
        positive = all(float(run[n].min()) > 0 for n in names)
        return curves(run, diagnosis, wanted, y="distance", under=under, log=positive)

    return panel(
        "Fréchet distance",
        chapter=QUALITY,
        lead="Falls towards the floor that reals against other reals reach, and does not turn up again. "
        "Only on Inception features is it the FID of papers.",
        draw=draw,
        wide=True,
    )


def kernel(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws every kernel distance."""

    def draw() -> Drawing:
        names = [n for n in run.names if n.split("[", 1)[0] == "kernel_distance"] or ["kernel_distance"]
        return curves(
            run, diagnosis, [Curve(n, n, BLUE, d) for n, d in zip(names, ("solid", "dash", "dot"))], y="squared MMD"
        )

    return panel("Kernel distance", chapter=QUALITY, lead="Falls to 0 within its error and stays.", draw=draw)


def precision_recall(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws precision against recall as a path through time."""

    def draw() -> Drawing:
        precision, recall = run["precision"].align(run["recall"], join="inner")
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
        chapter=QUALITY,
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
        chapter=QUALITY,
        lead="All rise together. Density is blind to collapse; recall and coverage are not.",
        draw=lambda: curves(run, diagnosis, wanted, y="score"),
    )


def memorisation(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the scores that tell copies of the training set."""
    wanted = [
        Curve("nearest_real_distance", "nearest real, fakes / held-out reals", optional=True),
        Curve("authenticity", "authenticity", GREEN, "dash", optional=True),
        Curve("copying_z", "C_T (z)", VERMILLION, "dot", optional=True),
    ]
    return panel(
        "Copies of the training set",
        chapter=QUALITY,
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
        chapter=QUALITY,
        lead="Rise and level off near the data's own value.",
        draw=lambda: curves(run, diagnosis, wanted, y="effective number"),
    )


def step_time(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the time of a step and the wait for data in it."""
    wanted = [
        Curve("step_seconds", "step", BLUE),
        Curve("data_wait_seconds", "waiting for data", ORANGE, "dash", optional=True),
    ]
    return panel(
        "Time of a step",
        chapter=COST,
        lead="Flat; waiting for data is a small part.",
        draw=lambda: curves(run, diagnosis, wanted, y="seconds", log=True),
    )


def throughput(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws real samples per second."""
    return panel(
        "Throughput",
        chapter=COST,
        lead="Flat.",
        draw=lambda: curves(run, diagnosis, [Curve("images_per_second", "samples per second", BLUE)], y="1/s"),
    )


def device_memory(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the peak memory of the device."""

    def draw() -> Drawing:
        drawing = curves(run, diagnosis, [Curve("device_memory_bytes", "peak memory", PURPLE)], y="bytes")
        peak = float(np.nanmax(run["device_memory_bytes"].to_numpy()))
        return Drawing(drawing.figure, f"{drawing.summary} The peak is {size(peak)}.", drawing.series, drawing.absent)

    return panel("Device memory", chapter=COST, lead="Flat after the first steps; a climb is a leak.", draw=draw)


def probe_cost(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws how much of the host's time each probe took."""

    def draw() -> Drawing:
        table = run.layers("probe_seconds")
        spent = table.sum().sort_values(ascending=False)
        figure = bars(
            [str(n) for n in spent.index],
            [("seconds", spent.to_numpy(), BLUE, "")],
            x_title="",
            y_title="seconds in all",
        )
        said = f"All probes together: {number(float(spent.sum()))} s, most of it {spent.index[0]} ({number(float(spent.iloc[0]))} s)."
        found, _ = recorded(run, ["step_seconds"]) if "step_seconds" in run else ({}, ())
        if found:
            mean = found["step_seconds"].mean() * run.steps
            said += f" That is {percent(float(spent.sum()) / mean)} of the time of all steps." if mean > 0 else ""
        return Drawing(figure, said, ("probe_seconds",))

    return panel(
        "Price of each probe", chapter=COST, lead="All of them together cost a few percent of the training.", draw=draw
    )
