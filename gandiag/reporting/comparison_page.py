"""The page of a comparison: verdicts side by side, configuration differences first, scores with their noise, curves over each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gandiag.errors import UsageError
from gandiag.reporting import facts
from gandiag.reporting.chapters import Drawn, chapters, figures
from gandiag.reporting.compare import Align, Comparison, compare_runs, overview
from gandiag.reporting.embed import (
    CONFIG,
    PlotlyJs,
    embedded,
    environment,
    plotly_tag,
    policy,
    replace,
    share_plotly,
    source,
)
from gandiag.reporting.overlay import overlays
from gandiag.reporting.stability_map import stability_map, table
from gandiag.run import Run


def write_comparison(
    runs: Sequence[Run | str | os.PathLike[str]] | Comparison,
    out: str | os.PathLike[str] = "comparison.html",
    *,
    align: Align = "step",
    over: tuple[str, str] | None = None,
    plotlyjs: PlotlyJs = "inline",
) -> Path:
    """Writes the comparison of two or more runs as one HTML file and returns its path.

    `align` is 'step' or 'images' (seen by the discriminator); `over` names two options, and a stability map over them comes first.
    """
    if align not in ("step", "images"):
        raise UsageError(f"align={align!r}: 'step' or 'images' was expected")
    comparison = runs if isinstance(runs, Comparison) else compare_runs(runs)
    drawn = overlays(comparison, align=align)
    if over is not None:
        drawn.insert(0, Drawn("stability-map", stability_map(comparison, over)))
    file = Path(out)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace(file, _render(comparison, drawn, plotlyjs, table(comparison, over) if over is not None else None))
    if plotlyjs == "directory":
        share_plotly(file.parent)
    return file


def _render(comparison: Comparison, drawn: Sequence[Drawn], plotlyjs: PlotlyJs, grid: dict[str, Any] | None) -> str:
    return str(
        environment()
        .get_template("comparison.html")
        .render(
            **context(comparison),
            grid=grid,
            chapters=chapters(drawn),
            tone=facts.TONES,
            icon=facts.ICONS,
            figures=Markup(embedded(figures(drawn))),
            config=Markup(embedded(CONFIG)),
            plotly=plotly_tag(plotlyjs),
            policy=policy(plotlyjs),
            css=source("page.css"),
            script=source("page.js"),
            live=Markup(),
        )
    )


def context(comparison: Comparison) -> dict[str, Any]:
    """Returns what the tables of a comparison need, on its own page and within a report."""
    return {"comparison": comparison, "rows": overview(comparison)}
