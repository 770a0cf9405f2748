"""Compare: what differs between runs, which difference is more than noise, and their curves over each other."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import UsageError
from gandiag.reporting.markdown import table
from gandiag.reporting.noise import INTERVAL_SDS, Score, better, more_than_noise, said
from gandiag.reporting.numbers import number, plain
from gandiag.reporting.opened import opened
from gandiag.reporting.scorecard import at_end, best_score, evaluated, unbiased
from gandiag.run import Run

Align = Literal["step", "images"]
# so many seeds of one configuration are still shown each by itself, where there is nothing else to compare with
EACH = 7
NOT_CONFIGURATION = (
    "seed",
    "out",
    "outdir",
    "name",
    "resume",
    "workers",
    "device",
)  # do not make two runs a different experiment
SCORES = (
    "frechet_distance",
    "kernel_distance",
    "precision",
    "recall",
    "density",
    "coverage",
    "modes_covered",
    "mode_kl",
    "high_quality_share",
    "vendi_score",
    "inception_score",
    "diversity_ratio",
    "discriminator_auc",
    "generator_gradient_norm",
)


@dataclass(frozen=True)
class Compared:
    """One run of a comparison, with the group of equal configurations that it belongs to."""

    run: Run
    diagnosis: Diagnosis
    name: str
    group: int


@dataclass(frozen=True)
class Difference:
    """A score of two runs or groups: values, and whether they differ by more than noise, with the reason in words."""

    score: str
    values: tuple[str, ...]
    verdicts: tuple[str, ...]

    @property
    def both(self) -> tuple[tuple[str, str], ...]:
        """Each group's value with its verdict against the first group."""
        return tuple(zip(self.values, self.verdicts))


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other: `groups` are their names, `options` the configuration that differs, `scores` the numbers."""

    runs: tuple[Compared, ...]
    groups: tuple[str, ...]
    options: tuple[tuple[str, tuple[str, ...]], ...]
    scores: tuple[Difference, ...]

    def members(self, group: int) -> tuple[Compared, ...]:
        """Returns the runs of one group."""
        return tuple(c for c in self.runs if c.group == group)


def compare_runs(runs: Sequence[Run | str | os.PathLike[str]], *, by_group: bool = True) -> Comparison:
    """Compares runs; those whose configurations differ in nothing but their seed form a group (`by_group`).

    Raises UsageError for fewer than two runs.
    """
    from gandiag.diagnosis import diagnose

    found = [opened(r) for r in runs]
    if len(found) < 2:
        raise UsageError(f"{len(found)} run was given, at least two are needed to compare: gandiag compare RUN RUN")
    keys = [_experiment(r) if by_group else str(i) for i, r in enumerate(found)]
    if len(set(keys)) == 1 and len(keys) <= EACH:
        keys = [str(i) for i in range(len(keys))]
    order = list(dict.fromkeys(keys))
    names = _names(found)
    compared = tuple(Compared(r, diagnose(r), n, order.index(k)) for r, n, k in zip(found, names, keys))
    options = _options(found)
    return Comparison(compared, _group_names(compared, len(order), options), options, _scores(compared, len(order)))


def _experiment(run: Run) -> str:
    """Returns what makes a run the same experiment as another: its configuration without its seed and its place."""
    config = configuration(run)
    if not config:
        return str(run.path)
    return json.dumps({k: v for k, v in config.items() if k not in NOT_CONFIGURATION}, sort_keys=True, default=str)


def configuration(run: Run) -> dict[str, Any]:
    """Returns the options of a run, with its recipe, loss, data and seed where they stand apart."""
    given = run.about.get("config")
    config: dict[str, Any] = {str(k): v for k, v in given.items()} if isinstance(given, Mapping) else {}
    config |= {key: run.about[key] for key in ("recipe", "loss") if run.about.get(key) is not None}
    data = run.about.get("data")
    if isinstance(data, Mapping):
        config.setdefault("data", data.get("name"))
    if run.about.get("seed") is not None:
        config.setdefault("seed", run.about["seed"])
    return config


def _names(runs: Sequence[Run]) -> list[str]:
    """Returns a name for each run; where two have the same one, their folders tell them apart."""
    names = [str(r.about.get("name") or r.path.name) for r in runs]
    return [n if names.count(n) == 1 else f"{n} ({r.path})" for n, r in zip(names, runs)]


def _options(runs: Sequence[Run]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Returns the options whose values differ, with the value of each run, then the versions, the commit and the data that differ."""
    tables = [configuration(r) | {f"version of {k}": v for k, v in _versions(r).items()} | _facts(r) for r in runs]
    keys = list(dict.fromkeys(k for t in tables for k in t))
    rows = [(k, tuple(plain(t.get(k)) or "none" for t in tables)) for k in keys if k not in ("out", "outdir", "name")]
    return tuple((k, values) for k, values in rows if len(set(values)) > 1)


def _versions(run: Run) -> Mapping[str, Any]:
    versions = run.about.get("versions")
    return versions if isinstance(versions, Mapping) else {}


def _facts(run: Run) -> dict[str, Any]:
    data, device = run.about.get("data"), run.about.get("device")
    return {
        "commit": run.about.get("commit"),
        "data hash": data.get("hash") if isinstance(data, Mapping) else None,
        "device": device.get("name") or device.get("type") if isinstance(device, Mapping) else None,
        "steps recorded": run.steps,
    }


def _group_names(
    runs: Sequence[Compared], count: int, options: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[str, ...]:
    """Names each group by the options that set it apart, or by its only run."""
    names = []
    for group in range(count):
        at = [i for i, c in enumerate(runs) if c.group == group]
        own = [
            f"{k}={v[at[0]]}"
            for k, v in options
            if k not in NOT_CONFIGURATION
            and not k.startswith(("version", "commit", "steps", "data hash"))
            and len({v[i] for i in at}) == 1
        ]
        names.append(
            runs[at[0]].name if len(at) == 1 else f"{', '.join(own[:3]) or runs[at[0]].name} ({len(at)} seeds)"
        )
    return tuple(n if names.count(n) == 1 else f"{n} · {i + 1}" for i, n in enumerate(names))


# -------------------------------------------------------------------------------------------------------- scores and noise


def _scores(runs: Sequence[Compared], groups: int) -> tuple[Difference, ...]:
    names = [n for base in SCORES for n in sorted({m for c in runs for m in c.run.names if m.split("[", 1)[0] == base})]
    rows = []
    for name in names:
        scores = [_score([c.run for c in runs if c.group == g], name) for g in range(groups)]
        if sum(bool(s.values) for s in scores) >= min(2, groups):
            first = scores[0]
            verdicts = ("", *(more_than_noise(first, s, better(name)) for s in scores[1:]))
            rows.append(Difference(name, tuple(said(s) for s in scores), verdicts))
    return tuple(rows)


def _score(runs: Sequence[Run], name: str) -> Score:
    """Returns a score at the end of each run; with the interval of the last evaluation where there is one run that has it."""
    values = [
        at_end(run[name]) if name not in evaluated(run) else float(run[name].iloc[-1]) for run in runs if name in run
    ]
    values = [v for v in values if math.isfinite(v)]
    sd = None
    base, bracket, features = name.partition("[")
    low, high = f"{base}_low{bracket}{features}", f"{base}_high{bracket}{features}"
    if len(runs) == 1 and values and low in runs[0] and high in runs[0]:
        sd = float(runs[0][high].iloc[-1] - runs[0][low].iloc[-1]) / INTERVAL_SDS
    return Score(tuple(values), sd)


def overview(comparison: Comparison) -> list[dict[str, Any]]:
    """Returns one row a run: its name, group, verdict, story, steps, and its best score in words."""
    rows = []
    for c in comparison.runs:
        best = best_score(c.run, c.diagnosis)
        rows.append(
            {
                "name": c.name,
                "group": comparison.groups[c.group],
                "verdict": c.diagnosis.verdict,
                "story": c.diagnosis.story,
                "steps": number(c.run.steps),
                "seed": plain(c.run.about.get("seed")),
                "best": f"{best['name']} {number(best['value'], 3)} at step {number(best['step'])}{unbiased(best)}"
                if best
                else "–",
            }
        )
    return rows


def comparison_markdown(comparison: Comparison) -> str:
    """Returns a comparison as Markdown: verdicts, what differs in the configuration, and the scores."""
    rows = overview(comparison)
    parts = [
        "### Comparison",
        table(["run", "verdict", "why", "best"], [[r["name"], str(r["verdict"]), r["story"], r["best"]] for r in rows]),
    ]
    if comparison.options:
        parts.append(table(["option", *(r["name"] for r in rows)], [[k, *v] for k, v in comparison.options]))
    if comparison.scores:
        cells = [
            [d.score, *(v + (f" – {w}" if w else "") for v, w in zip(d.values, d.verdicts))] for d in comparison.scores
        ]
        parts.append(table(["score at the end", *comparison.groups], cells))
    return "\n\n".join(parts)


def comparison_facts(comparison: Comparison) -> dict[str, Any]:
    """Returns a comparison as plain data, for `--json`."""
    return {
        "runs": [
            row | {"verdict": str(row["verdict"]), "path": str(c.run.path)}
            for row, c in zip(overview(comparison), comparison.runs)
        ],
        "groups": list(comparison.groups),
        "options": {k: list(v) for k, v in comparison.options},
        "scores": [
            {"score": d.score, "values": list(d.values), "against_the_first": list(d.verdicts)}
            for d in comparison.scores
        ],
    }
