"""Facts: what the page, report.json and the Markdown say of a run in words and numbers; nothing here draws."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gandiag.diagnosis.finding import Diagnosis, Finding, Overall, Verdict
from gandiag.errors import NotRecorded
from gandiag.quantities import quantity
from gandiag.reporting.numbers import duration, number, percent, plain
from gandiag.run import Run

ICONS = {
    Overall.STABLE: "✓",
    Overall.SUSPECT: "!",
    Overall.UNSTABLE: "✕",
    Overall.INCONCLUSIVE: "?",
    Verdict.HEALTHY: "✓",
    Verdict.SUSPECT: "!",
    Verdict.FAILED: "✕",
    Verdict.NOT_CHECKED: "?",
}
TONES = {
    Overall.STABLE: "good",
    Overall.SUSPECT: "warn",
    Overall.UNSTABLE: "bad",
    Overall.INCONCLUSIVE: "none",
    Verdict.HEALTHY: "good",
    Verdict.SUSPECT: "warn",
    Verdict.FAILED: "bad",
    Verdict.NOT_CHECKED: "none",
}
TILES = 6
END = 0.1  # "at the end" is the last tenth of the run


@dataclass(frozen=True)
class Tile:
    """One tile of the scorecard."""

    label: str
    value: str
    note: str
    series: str = ""


def check_title(check: str) -> str:
    """Returns a check's code as words: mode_collapse -> 'Mode collapse'."""
    words = check.replace("_", " ")
    return words[:1].upper() + words[1:]


def at_end(values: pd.Series) -> float:
    """Returns the median of the finite values in the last tenth of a series, NaN where none is finite."""
    last = values.to_numpy()[-max(1, int(len(values) * END)) :].astype(np.float64)
    last = last[np.isfinite(last)]
    return float(np.median(last)) if len(last) else float("nan")


# --------------------------------------------------------------------------------------------------------------- scorecard


def scorecard(run: Run) -> tuple[Tile, ...]:
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
    interval = f"[{number(best['low'], 3)}, {number(best['high'], 3)}] " if best["low"] is not None else ""
    return Tile(
        f"Fréchet distance{_features(best['name'])}",
        number(float(last.iloc[-1]), 3),
        f"best {number(best['value'], 3)} {interval}at step {number(best['step'])}",
        best["name"],
    )


def _features(name: str) -> str:
    return f" ({name.split('[', 1)[1].rstrip(']')})" if "[" in name else ""


def _diversity(run: Run) -> Tile:
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
    status = str(run.about.get("status", "")) or "unknown"
    return Tile("Steps", number(run.steps), f"{of}, {status}" + (f" in {duration(took)}" if took else ""), "")


def _seconds(run: Run) -> float:
    try:
        return float(run["wall_time"].iloc[-1])
    except NotRecorded:
        return 0.0


def best_score(run: Run) -> dict[str, Any] | None:
    """Returns the best Fréchet distance of the run: name, step, value, and its interval where one was recorded."""
    names = [n for n in run.names if n.split("[", 1)[0] == "frechet_distance"]
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


def best_sentence(run: Run) -> str:
    """Returns the best score of the run in a sentence, '' where no Fréchet distance was recorded."""
    best = best_score(run)
    if best is None:
        return ""
    interval = (
        f", 95 % interval {number(best['low'], 3)} to {number(best['high'], 3)}"
        if best["low"] is not None and best["high"] is not None
        else ""
    )
    floor = f", floor {number(best['floor'], 3)}" if best["floor"] is not None else ""
    return f"Best score at step {number(best['step'])}: {best['name']} {number(best['value'], 3)}{interval}{floor}."


# ------------------------------------------------------------------------------------------------------------ what the run is


def identity(run: Run) -> list[tuple[str, str]]:
    """Returns what the run is in a few words: recipe, data, seed, device, when."""
    about = run.about
    data, device = _mapping(about, "data"), _mapping(about, "device")
    rows = [
        ("recipe", about.get("recipe")),
        ("data", data.get("name")),
        ("loss", about.get("loss")),
        ("seed", about.get("seed")),
        ("device", device.get("name") or device.get("type")),
        ("recorded", str(about.get("created") or "")[:16].replace("T", " ") or None),
    ]
    return [(label, plain(value)) for label, value in rows if value is not None]


def reproduce(run: Run) -> dict[str, Any]:
    """Returns what it takes to make the run again: command, configuration with sources, versions, device, commit, data, players."""
    about = run.about
    command, sources = about.get("command"), _mapping(about, "config_sources")
    config = [
        (str(k), plain(v), str(sources.get(k, "")))
        for k, v in sorted(_mapping(about, "config").items(), key=lambda kv: str(kv[0]))
    ]
    facts = [
        ("Seed", about.get("seed")),
        ("Commit", about.get("commit")),
        ("Created", about.get("created")),
        ("Status", about.get("status")),
    ]
    facts += [(check_title(k), v) for k, v in _mapping(about, "device").items()]
    return {
        "command": shlex.join(str(c) for c in command)
        if isinstance(command, list)
        else plain(command)
        if command
        else "",
        "config": config,
        "facts": [(k, plain(v)) for k, v in facts if v is not None],
        "versions": [(str(k), plain(v)) for k, v in _mapping(about, "versions").items()],
        "data": [(str(k), _shortened(v)) for k, v in _mapping(about, "data").items() if v is not None],
        "players": _players(about),
        "probes": [(str(k), plain(v)) for k, v in _mapping(about, "probes").items()],
        "could_not_tell": [plain(s) for s in about.get("could_not_tell") or []]
        if isinstance(about.get("could_not_tell"), list)
        else [],
    }


def _mapping(about: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = about.get(key)
    return value if isinstance(value, Mapping) else {}


def _players(about: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    for who in ("generator", "discriminator"):
        player, optimizer = _mapping(_mapping(about, "players"), who), _mapping(_mapping(about, "optimizers"), who)
        if player or optimizer:
            count = player.get("parameters")
            size = f"{number(count)} parameters" if isinstance(count, int) else ""
            rows.append(
                (
                    who,
                    " · ".join(x for x in (plain(player.get("class", "")), size, plain(player.get("output", ""))) if x),
                    ", ".join(f"{k} {plain(v)}" for k, v in optimizer.items()),
                )
            )
    return rows


def _shortened(value: Any, limit: int = 160) -> str:
    words = plain(value)
    return words if len(words) <= limit else words[:limit] + " …"


# ------------------------------------------------------------------------------------------------------------------ findings


def counted(diagnosis: Diagnosis) -> str:
    """Returns how many checks were made and what they said: '9 healthy, 1 failed, 3 not checked'."""
    words = [
        (sum(f.verdict is v for f in diagnosis.findings), str(v))
        for v in (Verdict.FAILED, Verdict.SUSPECT, Verdict.HEALTHY, Verdict.NOT_CHECKED)
    ]
    return ", ".join(f"{n} {word}" for n, word in words if n) or "no check was made"


def finding_facts(finding: Finding) -> dict[str, Any]:
    """Returns a finding as plain data for report.json."""
    return {
        "check": finding.check,
        "kind": finding.kind,
        "verdict": str(finding.verdict),
        "claim": finding.claim,
        "cause": finding.cause,
        "remedies": list(remedies(finding)),
        "series": list(finding.series),
        "onset": finding.onset,
        "end": finding.end,
        "confidence": finding.confidence,
        "because_of": finding.because_of,
    }


def remedies(finding: Finding) -> tuple[str, ...]:
    """Returns the remedies in order; the first one alone where only that is given."""
    return finding.remedies or ((finding.remedy,) if finding.remedy else ())


def confidence(finding: Finding) -> str:
    """Returns the confidence in words, '' where none is given."""
    return "" if finding.confidence is None else f"{percent(finding.confidence)} sure"


def meaning(name: str) -> str:
    """Returns what a series means, '' for one that the vocabulary does not hold."""
    known = quantity(name)
    return known.meaning if known else ""
