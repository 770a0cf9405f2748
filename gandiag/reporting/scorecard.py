"""The scorecard: about six tiles that tell most of a run, and its best score with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.reporting.numbers import duration, number
from gandiag.run import Run

TILES = 6
END = 0.1  # "at the end" is the last tenth of the run


@dataclass(frozen=True)
class Tile:
    """One tile of the scorecard."""

    label: str
    value: str
    note: str
    series: str = ""


def at_end(values: pd.Series) -> float:
    """Returns the median of the finite values in the last tenth of a series, NaN where none is finite."""
    last = values.to_numpy()[-max(1, int(len(values) * END)) :].astype(np.float64)
    last = last[np.isfinite(last)]
    return float(np.median(last)) if len(last) else float("nan")


def distrusted(diagnosis: Diagnosis) -> frozenset[str]:
    """Returns the scores that cannot be: those that a failed check of the metrics themselves names."""
    return frozenset(name for f in diagnosis.illnesses if f.check == "metric_fault" for name in f.series)


def scorecard(run: Run, diagnosis: Diagnosis) -> tuple[Tile, ...]:
    """Returns about six tiles, those first that tell most; only what was recorded has a tile."""
    tiles = [
        tile
        for make in (
            _modes,
            _frechet,
            _diversity,
            _auc,
            _generator_gradient,
            _recall,
            _discriminator_loss,
            _generator_loss,
            _throughput,
        )
        if (tile := _or_none(make, run)) is not None
    ]
    faulty = distrusted(diagnosis)
    said = "the metric itself is at fault: see the findings"
    tiles = [Tile(t.label, "impossible", said, t.series) if t.series in faulty else t for t in tiles]
    return (*tiles[: TILES - 1], _length(run))


def _or_none(make: Any, run: Run) -> Tile | None:
    try:
        tile: Tile = make(run)
    except NotRecorded:
        return None
    return tile


def _modes(run: Run) -> Tile:
    covered = run["modes_covered"]
    of = f" of {number(float(run['modes_total'].iloc[-1]))}" if "modes_total" in run else ""
    lowest = f"at least {number(float(covered.iloc[len(covered) // 2 :].min()))} in the second half"
    return Tile("Modes covered", f"{number(float(covered.iloc[-1]))}{of}", lowest, "modes_covered")


def _frechet(run: Run) -> Tile:
    best = best_score(run)
    if best is None:
        raise NotRecorded("frechet_distance")
    last = run[best["name"]]
    return Tile(
        f"Fréchet distance{_features(best['name'])}",
        number(float(last.iloc[-1]), 3),
        f"best {number(best['value'], 3)} at step {number(best['step'])}{unbiased(best)}",
        best["name"],
    )


def _features(name: str) -> str:
    return f" ({name.split('[', 1)[1].rstrip(']')})" if "[" in name else ""


def _diversity(run: Run) -> Tile:
    if not np.isfinite(run["diversity_ratio"].to_numpy()).any():
        raise NotRecorded("diversity_ratio", "none of its values is a finite number")
    return Tile(
        "Diversity of a batch",
        number(at_end(run["diversity_ratio"]), 3),
        "of the data's, at the end",
        "diversity_ratio",
    )


def _auc(run: Run) -> Tile:
    return Tile(
        "D tells them apart",
        number(at_end(run["discriminator_auc"]), 3),
        "AUC at the end; .5 is a guess",
        "discriminator_auc",
    )


def _generator_gradient(run: Run) -> Tile:
    norms = run["generator_gradient_norm"]
    return Tile(
        "G's gradient",
        number(at_end(norms), 3),
        f"norm at the end, {number(float(norms.iloc[0]), 3)} at first",
        "generator_gradient_norm",
    )


def _recall(run: Run) -> Tile:
    recall = run["recall"]
    return Tile(
        "Recall",
        number(float(recall.iloc[-1]), 3),
        f"precision {number(float(run['precision'].iloc[-1]), 3)}",
        str(recall.name),
    )


def _discriminator_loss(run: Run) -> Tile:
    return Tile("D's loss", number(at_end(run["discriminator_loss"]), 3), "at the end", "discriminator_loss")


def _generator_loss(run: Run) -> Tile:
    return Tile("G's loss", number(at_end(run["generator_loss"]), 3), "at the end", "generator_loss")


def _throughput(run: Run) -> Tile:
    return Tile(
        "Throughput", number(at_end(run["images_per_second"]), 3), "samples a second at the end", "images_per_second"
    )


def _length(run: Run) -> Tile:
    planned = run.about.get("steps_planned")
    of = f"of {number(planned)} planned" if isinstance(planned, int) and planned != run.steps else "recorded"
    took = _seconds(run)
    status = str(run.about.get("status") or "")  # somebody's log does not say how it ended
    said = f"{of}, {status}" if status else of
    return Tile("Steps", number(run.steps), said + (f" in {duration(took)}" if took else ""), "")


def _seconds(run: Run) -> float:
    try:
        return float(run["wall_time"].iloc[-1])
    except NotRecorded:
        return 0.0


def evaluated(run: Run) -> set[str]:
    """Returns the names of the scores that evaluations recorded."""
    return {name for r in run.records("evaluations") if isinstance(r.get("scores"), dict) for name in r["scores"]}


def best_score(run: Run, diagnosis: Diagnosis | None = None) -> dict[str, Any] | None:
    """Returns the best Fréchet distance of the run: name, step, value, and its interval where one was recorded.

    With a diagnosis, a score that it calls impossible is none.
    """
    faulty = distrusted(diagnosis) if diagnosis is not None else frozenset()
    names = [n for n in run.names if n.split("[", 1)[0] == "frechet_distance" and n not in faulty]
    for name in names:
        values = run[name] if name in run else pd.Series(dtype=float)
        values = values[np.isfinite(values.to_numpy().astype(np.float64))]
        if len(values):
            step = int(values.index[int(values.to_numpy().argmin())])
            suffix = name.removeprefix("frechet_distance")
            return {
                "name": name,
                "step": step,
                "value": float(values.loc[step]),
                "low": _at(run, f"frechet_distance_low{suffix}", step),
                "high": _at(run, f"frechet_distance_high{suffix}", step),
                "floor": _at(run, f"frechet_distance_floor{suffix}", step),
            }
    return None


def _at(run: Run, name: str, step: int) -> float | None:
    try:
        values = run[name]
    except NotRecorded:
        return None
    return float(values.loc[step]) if step in values.index else None


def best_sentence(run: Run, diagnosis: Diagnosis) -> str:
    """Returns the best score of the run in a sentence, '' where no Fréchet distance was recorded."""
    best = best_score(run, diagnosis)
    if best is None:
        return ""
    against = f"; reals against other reals give {number(best['floor'], 3)}" if best["floor"] is not None else ""
    return f"Best score at step {number(best['step'])}: {best['name']} {number(best['value'], 3)}{against}{unbiased(best, sure=' (95 % interval)')}."


def unbiased(best: dict[str, Any], sure: str = "") -> str:
    """Returns the interval of a best score in words, '' where none was recorded.

    It is that of the distance less its bias, which is always upwards: the score itself may lie above it.
    """
    if best["low"] is None or best["high"] is None:
        return ""
    return f"; less its small-sample bias {number(best['low'], 3)} to {number(best['high'], 3)}{sure}"
