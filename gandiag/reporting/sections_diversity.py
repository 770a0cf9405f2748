"""Sections on diversity: modes and classes covered, histograms against the data, and the diversity of a batch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.reporting.axes import scale
from gandiag.reporting.curves import curves, describe
from gandiag.reporting.decimate import untyped
from gandiag.reporting.figures import (
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Curve,
    Trace,
    bars,
    line,
    over_steps,
)
from gandiag.reporting.heatmaps import heatmap
from gandiag.reporting.numbers import number, percent
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.run import Run

CHAPTER = "Diversity and modes"
REAL, FAKE = GREEN, ORANGE
CHANNELS = 3  # of colour, or coordinates, that are drawn


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

    return panel("Modes covered", chapter=CHAPTER, lead="Reaches the data's number and stays there.", draw=draw)


def mode_quality(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws high-quality share, KL of the histogram, and spread within modes."""
    wanted = [
        Curve("high_quality_share", "high-quality share", GREEN, optional=True),
        Curve("mode_kl", "KL to the data's histogram (nats)", VERMILLION, "dash"),
        Curve("mode_sd_ratio", "spread within modes / data's", PURPLE, "dot", optional=True),
    ]
    return panel(
        "How the modes are filled",
        chapter=CHAPTER,
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
        chapter=CHAPTER,
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
        chapter=CHAPTER,
        lead="Every row keeps an even colour; a bright cell that wanders is a rotating collapse.",
        draw=draw,
    )


def class_recall(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the recall of each class of the data over steps."""

    def draw() -> Drawing:
        table = run.layers("class_recall")
        named = table.set_axis(_class_names(run, table), axis=1)
        named.attrs["series"] = "class_recall"
        last = table.iloc[-1].to_numpy()
        weakest = int(np.nanargmin(last)) if np.isfinite(last).any() else 0
        figure = heatmap(named, diagnosis, run.steps, y="", value="recall", limits=(0.0, 1.0))
        said = f"At step {number(int(table.index[-1]))} the lowest recall is {number(float(last[weakest]), 3)}, of {named.columns[weakest]}."
        return Drawing(figure, said, ("class_recall",))

    return panel(
        "Recall of each class",
        chapter=CHAPTER,
        lead="Every row brightens; one that stays dark is a minority that was dropped.",
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


def batch_diversity(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the fakes' diversity over that of the reals."""
    wanted = [Curve("diversity_ratio", "diversity of fakes / reals", VERMILLION)]
    return panel(
        "Diversity of a batch",
        chapter=CHAPTER,
        lead="Rises to about 1 and stays; towards 0 all fakes are one point.",
        draw=lambda: curves(run, diagnosis, wanted, y="ratio", references=[(1.0, "as diverse as the data")]),
    )


def batch_distance(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws how far the fakes of a batch, and those that D is shown, are from where they should be as distributions."""
    wanted = [
        Curve("energy_coefficient", "fakes from reals", VERMILLION),
        Curve("shown_fake_energy", "fakes shown to D from G's own", SKY, "dash", optional=True),
    ]
    return panel(
        "Distance of a batch",
        chapter=CHAPTER,
        lead="Falls to about 0, where chance puts it below as well; 1 is two points.",
        draw=lambda: curves(run, diagnosis, wanted, y="energy coefficient", references=[(0.0, "one distribution")]),
    )


def batch_neighbours(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws how near fakes come to reals and reals to fakes, within a batch."""
    wanted = [
        Curve("fake_nearest_real", "fake to its nearest real", FAKE),
        Curve("real_nearest_fake", "real to its nearest fake", REAL, "dash"),
    ]
    return panel(
        "Neighbours within a batch",
        chapter=CHAPTER,
        lead="Both fall to about 1. Fakes near and reals far: some reals no fake comes near. Fakes at 0: copies.",
        draw=lambda: curves(
            run,
            diagnosis,
            wanted,
            y="distance / that of real to real",
            log=None,
            references=[(1.0, "as near as reals are")],
        ),
    )


def batch_columns(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the columns in which the fakes end up farthest from the reals."""

    def draw() -> Drawing:
        table = run.layers("marginal_energy")
        late = table.iloc[-max(1, len(table) // 5) :].mean()
        traces: list[Trace] = []
        said: list[str] = []
        worst = late.sort_values(ascending=False, kind="stable").index[:CHANNELS]
        for label, color, dash in zip(worst, (VERMILLION, SKY, REAL), ("solid", "dash", "dot")):
            values = table[label].rename(f"marginal_energy/{label}")
            traces += line(values, Curve(str(values.name), f"column {label}", color, dash))
            said.append(describe(values, f"column {label}"))
        figure = over_steps(
            traces, diagnosis, run.steps, y="energy coefficient", references=[(0.0, "one distribution")]
        )
        figure["layout"]["yaxis"] |= scale([untyped(t["y"]) for t in traces], log=False)
        return Drawing(figure, " ".join(said), ("marginal_energy",))

    return panel(
        "The columns that fit worst",
        chapter=CHAPTER,
        lead="All fall to about 0. One that stays up is a column (or channel) whose values the generator has wrong.",
        draw=draw,
    )


def batch_roughness(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws how rough the samples of both batches are."""
    wanted = [Curve("real_roughness", "real", REAL), Curve("fake_roughness", "fake", FAKE, "dash")]
    return panel(
        "Roughness of a batch",
        chapter=CHAPTER,
        lead="The fakes end where the reals are. Far below: blurred samples. Far above: noise or a checkerboard.",
        draw=lambda: curves(run, diagnosis, wanted, y="von Neumann's ratio"),
    )


def effective_rank(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the effective rank of both batches."""
    wanted = [Curve("real_effective_rank", "real", REAL), Curve("fake_effective_rank", "fake", FAKE, "dash")]
    return panel(
        "Effective rank of a batch",
        chapter=CHAPTER,
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
        chapter=CHAPTER,
        lead="Reals and fakes live in the same range; [0, 1] against [−1, 1] is the commonest bug of all.",
        draw=lambda: curves(run, diagnosis, wanted, y="value"),
    )


def batch_centre(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the mean of each channel, or coordinate, of both batches."""

    def draw() -> Drawing:
        reals, fakes = run.layers("real_channel_mean"), run.layers("fake_channel_mean")
        traces: list[Trace] = []
        said: list[str] = []
        for i, (label, dash) in enumerate(zip(fakes.columns[:CHANNELS], ("solid", "dash", "dot"))):
            for table, what, color in ((reals, "real", REAL), (fakes, "fake", FAKE)):
                if i < table.shape[1]:
                    values = table.iloc[:, i].rename(f"{what}_channel_mean/{label}")
                    traces += line(values, Curve(str(values.name), f"{what} {label}", color, dash))
                    said.append(describe(values, f"{what} {label}"))
        figure = over_steps(traces, diagnosis, run.steps, y="mean")
        figure["layout"]["yaxis"] |= scale([untyped(t["y"]) for t in traces], log=False)
        return Drawing(figure, " ".join(said), ("fake_channel_mean", "real_channel_mean"))

    return panel(
        "Centre of a batch",
        chapter=CHAPTER,
        lead="The fakes' means stay beside those of the reals; a regular swing is a generator that circles.",
        draw=draw,
    )
