"""The stability map: the verdicts of many runs over a grid of two options, as colours, symbols and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gandiag.diagnosis.finding import Overall
from gandiag.errors import UsageError, did_you_mean
from gandiag.reporting.compare import Compared, Comparison, configuration
from gandiag.reporting.facts import ICONS
from gandiag.reporting.figures import GREEN, GREY, ORANGE, VERMILLION, Figure, base, text
from gandiag.reporting.numbers import plain
from gandiag.reporting.panel import Panel

ORDER = (Overall.UNSTABLE, Overall.SUSPECT, Overall.INCONCLUSIVE, Overall.STABLE)  # the worst first
COLORS = {Overall.STABLE: GREEN, Overall.SUSPECT: ORANGE, Overall.UNSTABLE: VERMILLION, Overall.INCONCLUSIVE: GREY}

Cell = dict[str, Any]


def cells(
    comparison: Comparison, options: tuple[str, str]
) -> tuple[list[Any], list[Any], dict[tuple[Any, Any], list[Compared]]]:
    """Returns the values of both options in ascending order, and the runs of each pair. Raises UsageError for an option that no run has."""
    known = sorted({k for c in comparison.runs for k in configuration(c.run)})
    for option in options:
        if option not in known:
            raise UsageError(
                f"--map {','.join(options)}: no run has the option {option!r}{did_you_mean(option, known)}"
            )
    found: dict[tuple[Any, Any], list[Compared]] = {}
    for c in comparison.runs:
        config = configuration(c.run)
        if all(o in config for o in options):
            found.setdefault((_hashable(config[options[0]]), _hashable(config[options[1]])), []).append(c)
    across, up = (sorted({pair[i] for pair in found}, key=_rank) for i in (0, 1))
    return across, up, found


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool, type(None))) else plain(value)


def _rank(value: Any) -> tuple[int, float, str]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (0, float(value), "") if is_number else (1, 0.0, str(value))


def verdict_of(runs: Sequence[Compared]) -> Overall:
    """Returns the verdict that most of the runs have; of equally frequent ones the worst."""
    found = [c.diagnosis.verdict for c in runs]
    return max(ORDER, key=lambda v: (found.count(v), -ORDER.index(v)))


def table(comparison: Comparison, options: tuple[str, str]) -> dict[str, Any]:
    """Returns the map as a table of words: rows of the second option, largest first, columns of the first."""
    across, up, found = cells(comparison, options)
    rows = []
    for y in reversed(up):
        row: list[Cell | None] = []
        for x in across:
            runs = found.get((x, y), [])
            row.append(_cell(runs) if runs else None)
        rows.append((plain(y), row))
    return {"across": [plain(x) for x in across], "rows": rows, "x": options[0], "y": options[1]}


def _cell(runs: Sequence[Compared]) -> Cell:
    verdict = verdict_of(runs)
    same = sum(c.diagnosis.verdict is verdict for c in runs)
    illness = next(
        (
            c.diagnosis.illnesses[0].check.replace("_", " ")
            for c in runs
            if c.diagnosis.verdict is verdict and c.diagnosis.illnesses
        ),
        "",
    )
    return {
        "verdict": verdict,
        "icon": ICONS[verdict],
        "count": f"{same} of {len(runs)}" if len(runs) > 1 else "",
        "illness": illness,
    }


def stability_map(comparison: Comparison, options: tuple[str, str]) -> Panel:
    """Draws the map: one square a pair of values, coloured by the verdict of most of its runs, with its symbol and its count."""
    across, up, found = cells(comparison, options)
    traces = []
    for verdict in ORDER:
        pairs = [(x, y, runs) for (x, y), runs in found.items() if verdict_of(runs) is verdict]
        if pairs:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers+text",
                    "name": str(verdict),
                    "x": [text(plain(x)) for x, _, _ in pairs],
                    "y": [text(plain(y)) for _, y, _ in pairs],
                    "marker": {"symbol": "square", "size": 44, "color": COLORS[verdict]},
                    "textfont": {"color": "#0f1114", "size": 16},
                    "text": [ICONS[verdict] for _ in pairs],
                    "hovertext": [
                        text("; ".join(f"{c.name}: {c.diagnosis.verdict}" for c in runs)) for _, _, runs in pairs
                    ],
                    "hoverinfo": "text",
                }
            )
    figure: Figure = {
        "data": traces,
        "layout": base(max(300, 96 + 58 * len(up)))
        | {
            "xaxis": _axis(options[0], [plain(x) for x in across]),
            "yaxis": _axis(options[1], [plain(y) for y in up]),
            "hovermode": "closest",
            "meta": {"over": "options"},
        },
    }
    counted = ", ".join(
        f"{sum(verdict_of(r) is v for r in found.values())} {v}"
        for v in ORDER
        if any(verdict_of(r) is v for r in found.values())
    )
    return Panel(
        f"Stability over {options[0]} and {options[1]}",
        "A broad patch of stable squares: a setting at its edge is one seed away from falling ill.",
        figure,
        f"Of {len(found)} settings {counted}.",
        "The map as a chart",
        wide=True,
        label="",
    )


def _axis(name: str, labels: Sequence[str]) -> dict[str, Any]:
    shown = [text(label) for label in labels]
    return {
        "title": {"text": text(name)},
        "type": "category",
        "categoryorder": "array",
        "categoryarray": shown,
        "range": [-0.6, len(shown) - 0.4],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }
