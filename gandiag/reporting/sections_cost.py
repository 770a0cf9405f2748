"""Sections on cost: the time of a step, throughput, memory, and the price of each probe."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.quantities import quantity
from gandiag.reporting.curves import curves, recorded
from gandiag.reporting.figures import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    VERMILLION,
    Curve,
    bars,
)
from gandiag.reporting.heatmaps import heatmap
from gandiag.reporting.numbers import number, percent, size
from gandiag.reporting.panel import Drawing, Panel, panel
from gandiag.reporting.sections_gradients import rows_in_words
from gandiag.run import Run

CHAPTER = "Cost"
OWN = 12  # series of the user's own that are drawn; `gandiag show` has them all


def step_time(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the time of a step and the wait for data in it."""
    wanted = [
        Curve("step_seconds", "step", BLUE),
        Curve("data_wait_seconds", "waiting for data", ORANGE, "dash", optional=True),
    ]
    return panel(
        "Time of a step",
        chapter=CHAPTER,
        lead="Flat; waiting for data is a small part.",
        draw=lambda: curves(run, diagnosis, wanted, y="seconds", log=True),
    )


def throughput(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws real samples per second."""
    return panel(
        "Throughput",
        chapter=CHAPTER,
        lead="Flat.",
        draw=lambda: curves(run, diagnosis, [Curve("images_per_second", "samples per second", BLUE)], y="1/s"),
    )


def device_memory(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws the peak memory of the device."""

    def draw() -> Drawing:
        drawing = curves(run, diagnosis, [Curve("device_memory_bytes", "peak memory", PURPLE)], y="bytes")
        peak = float(np.nanmax(run["device_memory_bytes"].to_numpy()))
        return Drawing(drawing.figure, f"{drawing.summary} The peak is {size(peak)}.", drawing.series, drawing.absent)

    return panel("Device memory", chapter=CHAPTER, lead="Flat after the first steps; a climb is a leak.", draw=draw)


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
        "Price of each probe",
        chapter=CHAPTER,
        lead="All of them together cost a few percent of the training.",
        draw=draw,
    )


def numerics(run: Run, diagnosis: Diagnosis) -> Panel:
    """Draws how many recorded numbers were not finite, and the loss scale of mixed precision."""
    wanted = [
        Curve("nonfinite", "values that are NaN or infinite", VERMILLION, optional=True),
        Curve("gradient_scale", "loss scale", BLUE, "dash", optional=True),
        Curve("augmentation_probability", "augmentation p", GREEN, "dot", optional=True),
    ]
    return panel(
        "Numerics",
        chapter=CHAPTER,
        lead="No value is NaN or infinite, ever; a loss scale moves in a few steps and settles.",
        draw=lambda: curves(run, diagnosis, wanted, y="value"),
    )


def own_series(run: Run, diagnosis: Diagnosis) -> list[tuple[str, Panel]]:
    """Returns a panel for each series that the vocabulary does not hold: what the user's own probes measured."""
    names = [n for n in run.names if quantity(n) is None]
    panels = []
    for name in names[:OWN]:
        one = panel(name, chapter="Your own series", lead="", draw=partial(_own, run, diagnosis, name))
        panels.append((name, replace(one, label="")))
    return panels


def _own(run: Run, diagnosis: Diagnosis, name: str) -> Drawing:
    try:
        return curves(run, diagnosis, [Curve(name, name)], y="")
    except NotRecorded:
        table = run.layers(name)
    table.attrs["series"] = name
    return Drawing(heatmap(table, diagnosis, run.steps, y="", value="value"), rows_in_words(table), (name,))
