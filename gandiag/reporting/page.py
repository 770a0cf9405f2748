"""The page: one self-contained HTML file that opens offline, and report.json with the same facts beside it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from gandiag.diagnosis.finding import Diagnosis, Finding, Verdict
from gandiag.errors import NotRecorded, UsageError
from gandiag.reporting import facts, numbers, scorecard
from gandiag.reporting.chapters import Drawn, chapters, draw, figures, slug
from gandiag.reporting.compare import compare_runs
from gandiag.reporting.comparison_page import context
from gandiag.reporting.curves import describe
from gandiag.reporting.embed import (
    CONFIG,
    PlotlyJs,
    embedded,
    environment,
    jsonable,
    plotly_tag,
    policy,
    replace,
    share_plotly,
    source,
)
from gandiag.reporting.opened import beside, opened
from gandiag.reporting.overlay import overlays
from gandiag.reporting.panel import Section
from gandiag.reporting.pictures import gallery
from gandiag.reporting.sections import SECTIONS
from gandiag.reporting.sparkline import sparkline
from gandiag.run import Run

EVIDENCE = 3  # curves beside a finding
BASELINE = "Curves against the baseline"


def write_report(
    run: Run | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    plotlyjs: PlotlyJs = "inline",
    baseline: Run | str | os.PathLike[str] | None = None,
    diagnosis: Diagnosis | None = None,
    sections: Sequence[Section] = SECTIONS,
) -> Path:
    """Writes the stability report of a run as one HTML file and returns its path; report.json with the same facts lies beside it.

    `out` is the file (RUN/report.html by default). `plotlyjs="inline"` makes a page that needs nothing else, `"directory"` puts
    one plotly.min.js beside it, which all reports of a folder share. `baseline` is a run to compare with. The same run gives the
    same bytes. Raises RunError for what is no run, UsageError for an unknown `plotlyjs` or where `out` is a folder.
    """
    if plotlyjs not in ("inline", "directory"):
        raise UsageError(f"plotlyjs={plotlyjs!r}: 'inline' or 'directory' was expected")
    run = opened(run)
    diagnosis = diagnosis or diagnose_run(run)
    file = Path(out) if out is not None else beside(run, "report.html")
    if file.is_dir():
        raise UsageError(f"{file} is a folder: give the file that the report is written to, {file / 'report.html'} say")
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw(run, diagnosis, sections)
    against = compare_runs([baseline, run], by_group=False) if baseline is not None else None
    if against is not None:
        drawn += [Drawn(d.id, dataclasses.replace(d.panel, chapter=BASELINE)) for d in overlays(against)]
    page = render(
        run,
        diagnosis,
        drawn,
        plotly=plotly_tag(plotlyjs),
        policy=policy(plotlyjs),
        baseline=context(against) if against is not None else None,
    )
    if plotlyjs == "directory":
        share_plotly(file.parent)
    replace(file, page)
    replace(
        file.with_suffix(".json"),
        json.dumps(jsonable(report_facts(run, diagnosis, drawn)), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    )
    return file


def diagnose_run(run: Run) -> Diagnosis:
    """Diagnoses a run with the checks of gandiag."""
    from gandiag.diagnosis import diagnose

    return diagnose(run)


def render(
    run: Run,
    diagnosis: Diagnosis,
    drawn: Sequence[Drawn],
    *,
    plotly: Markup,
    policy: str,
    baseline: Any = None,
    live: str = "",
) -> str:
    """Renders the page from what was drawn; `live` is what the script of `gandiag watch` adds."""
    template = environment().get_template("page.html")
    return template.render(
        title=str(run.about.get("name") or run.path.name),
        diagnosis=diagnosis,
        tone=facts.TONES,
        icon=facts.ICONS,
        counted=facts.counted(diagnosis),
        identity=facts.identity(run),
        best=scorecard.best_sentence(run, diagnosis),
        tiles=_tiles(run, diagnosis),
        cards=_cards(run, diagnosis, drawn),
        gallery=gallery(run),
        chapters=chapters(drawn),
        checks=_checks(diagnosis),
        reproduce=facts.reproduce(run),
        steps=run.steps,
        figures=Markup(embedded(figures(drawn))),
        config=Markup(embedded(CONFIG)),
        evaluations=_evaluations(run),
        recorded=[(name, facts.meaning(name)) for name in run.names],
        baseline=baseline,
        plotly=plotly,
        policy=policy,
        css=source("page.css"),
        script=source("page.js"),
        live=Markup(live),
        status=str(run.about.get("status", "")),
    )


def _tiles(run: Run, diagnosis: Diagnosis) -> list[dict[str, Any]]:
    rows = []
    for tile in scorecard.scorecard(run, diagnosis):
        spark = Markup()
        if tile.series:
            values = run[tile.series]
            spark = sparkline(values, describe(values, tile.label), steps=run.steps)
        rows.append({"label": tile.label, "value": tile.value, "note": tile.note, "spark": spark})
    return rows


def _cards(run: Run, diagnosis: Diagnosis, drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Returns the illnesses, each with its evidence; consequences say whose they are."""
    where = {name: d.id for d in reversed(drawn) for name in d.panel.series}
    return [
        {
            "finding": f,
            "cause": slug(f.because_of) if f.because_of in {g.check for g in diagnosis.illnesses} else "",
            "id": slug(f.check),
            "when": numbers.steps(f.onset, f.end),
            "remedies": facts.remedies(f),
            "confidence": facts.confidence(f),
            "evidence": _evidence(run, f),
            "zoom": _zoom(f, run.steps),
            "links": [(name, where[name]) for name in f.series if name in where],
        }
        for f in diagnosis.illnesses
    ]


def _evidence(run: Run, finding: Finding) -> list[dict[str, Any]]:
    rows = []
    for name in finding.series:
        values = _telling(run, name)
        if values is None:
            continue
        words = describe(values, str(values.name))
        if spark := sparkline(values, words, onset=finding.onset, end=finding.end, steps=run.steps):
            ends = [numbers.number(float(values.iloc[i]), 3) for i in (0, -1)]
            rows.append({"name": values.name, "spark": spark, "first": ends[0], "last": ends[1]})
    return rows[:EVIDENCE]


def _telling(run: Run, name: str) -> pd.Series | None:
    """Returns a series, of a vector the entry that varies most, None where it was not recorded."""
    try:
        return run[name]
    except NotRecorded:
        pass
    try:
        table = run.layers(name)
    except NotRecorded:
        return None
    spread = table.replace([np.inf, -np.inf], np.nan).std().fillna(0)
    entry = table.iloc[:, int(spread.to_numpy().argmax())]
    return entry.rename(f"{name}/{entry.name}")


def _zoom(finding: Finding, steps: int) -> str:
    """Returns the steps that the charts zoom to: those of the illness and a tenth of the run before them."""
    if finding.onset is None:
        return ""
    margin = max(steps // 10, 1)
    return f"{max(0, finding.onset - margin)}-{min(max(steps - 1, 1), (finding.end if finding.end is not None else steps) + margin)}"


def _checks(diagnosis: Diagnosis) -> list[Finding]:
    order = [Verdict.FAILED, Verdict.SUSPECT, Verdict.NOT_CHECKED, Verdict.HEALTHY]
    return sorted(diagnosis.findings, key=lambda f: order.index(f.verdict))


def _evaluations(run: Run) -> dict[str, Any]:
    """Returns the scores of every evaluation as a table of text, the newest first."""
    names = sorted(scorecard.evaluated(run))
    columns = {}
    for name in names:
        try:
            columns[name] = run[name]
        except NotRecorded:
            continue  # a vector: it has a chart
    table = pd.DataFrame(columns)
    rows = [
        (numbers.number(int(step)), [numbers.number(None if pd.isna(v) else float(v)) for v in row])
        for step, row in zip(table.index[::-1], table.to_numpy()[::-1])
    ]
    return {"names": list(table.columns), "rows": rows}


def report_facts(run: Run, diagnosis: Diagnosis, drawn: Sequence[Drawn]) -> dict[str, Any]:
    """Returns the facts of the page as plain data: what report.json holds."""
    return {
        "report": 1,
        "run": str(run.about.get("name") or run.path.name),
        "verdict": str(diagnosis.verdict),
        "story": diagnosis.story,
        "steps": run.steps,
        "status": run.about.get("status"),
        "best": scorecard.best_score(run, diagnosis),
        "findings": [facts.finding_facts(f) for f in diagnosis.findings],
        "scorecard": [asdict(t) for t in scorecard.scorecard(run, diagnosis)],
        "panels": [
            {
                "id": d.id,
                "title": d.panel.title,
                "chapter": d.panel.chapter,
                "healthy": d.panel.lead,
                "summary": d.panel.summary,
                "series": list(d.panel.series),
                "missing": d.panel.missing or None,
            }
            for d in drawn
        ],
        "series": list(run.names),
        "reproduce": facts.reproduce(run),
    }
