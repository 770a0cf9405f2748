"""The page: one self-contained HTML file that opens offline, and report.json with the same facts beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from gandiag.diagnosis.finding import Diagnosis, Finding, Verdict
from gandiag.errors import NotRecorded, UsageError
from gandiag.reporting import facts, numbers, scorecard
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
from gandiag.reporting.panel import Panel, Section, missing_sentence
from gandiag.reporting.pictures import gallery
from gandiag.reporting.sections import SECTIONS
from gandiag.reporting.sparkline import sparkline
from gandiag.run import Run, load_run


@dataclass(frozen=True)
class Drawn:
    """A panel with the id under which the page holds it."""

    id: str
    panel: Panel


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
    same bytes. Raises RunError for what is no run, UsageError for an unknown `plotlyjs`.
    """
    if plotlyjs not in ("inline", "directory"):
        raise UsageError(f"plotlyjs={plotlyjs!r}: 'inline' or 'directory' was expected")
    run = run if isinstance(run, Run) else load_run(run)
    diagnosis = diagnosis or diagnose_run(run)
    file = Path(out) if out is not None else run.path / "report.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw(run, diagnosis, sections)
    page = render(
        run, diagnosis, drawn, plotly=plotly_tag(plotlyjs), policy=policy(plotlyjs), baseline=_compared(run, baseline)
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


def draw(run: Run, diagnosis: Diagnosis, sections: Sequence[Section] = SECTIONS) -> list[Drawn]:
    """Draws every section; one that raises NotRecorded becomes a panel that says what is missing."""
    drawn = []
    for section in sections:
        name = getattr(section, "__name__", type(section).__name__)
        try:
            panel = section(run, diagnosis)
        except NotRecorded as error:
            panel = Panel(facts.check_title(name), "", missing=missing_sentence(error))
        drawn.append(Drawn(_own_id(name, {d.id for d in drawn}), panel))
    return drawn


def _own_id(name: str, taken: set[str]) -> str:
    """Returns an id for a panel that no other one has."""
    slug = _slug(name) or "panel"
    return next(i for i in (slug, *(f"{slug}-{n}" for n in range(2, len(taken) + 3))) if i not in taken)


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
        best=scorecard.best_sentence(run),
        tiles=_tiles(run),
        cards=_cards(run, diagnosis, drawn),
        gallery=gallery(run),
        chapters=_chapters(drawn),
        checks=_checks(diagnosis),
        reproduce=facts.reproduce(run),
        steps=run.steps,
        figures=Markup(embedded({d.id: _figure(d.panel) for d in drawn if d.panel.figure is not None})),
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


def _tiles(run: Run) -> list[dict[str, Any]]:
    rows = []
    for tile in scorecard.scorecard(run):
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
            "cause": _slug(f.because_of),
            "id": _slug(f.check),
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
        try:
            values = run[name]
        except NotRecorded:
            continue
        if spark := sparkline(values, describe(values, name), onset=finding.onset, end=finding.end, steps=run.steps):
            rows.append(
                {
                    "name": name,
                    "spark": spark,
                    "first": numbers.number(float(values.iloc[0]), 3),
                    "last": numbers.number(float(values.iloc[-1]), 3),
                }
            )
    return rows[:3]


def _zoom(finding: Finding, steps: int) -> str:
    """Returns the steps that the charts zoom to: those of the illness and a tenth of the run before them."""
    if finding.onset is None:
        return ""
    margin = max(steps // 10, 1)
    return f"{max(0, finding.onset - margin)}-{min(max(steps - 1, 1), (finding.end if finding.end is not None else steps) + margin)}"


def _chapters(drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    chapters: dict[str, dict[str, Any]] = {}
    for d in drawn:
        title = d.panel.chapter or "More"
        chapter = chapters.setdefault(
            title, {"title": title, "id": "chapter-" + _slug(title), "panels": [], "missing": []}
        )
        chapter["missing" if d.panel.figure is None else "panels"].append(d)
    for chapter in chapters.values():
        chapter["panels"] = _rows(chapter["panels"])
    return list(chapters.values())


def _rows(panels: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Returns the panels with their widths: one that would stand alone in a row of two takes the whole row."""
    rows: list[dict[str, Any]] = []
    alone = False  # whether the last narrow panel still lacks its neighbour
    for d in panels:
        if d.panel.wide and alone:
            rows[-1]["wide"] = True
        alone = not d.panel.wide and not alone
        rows.append({"id": d.id, "panel": d.panel, "wide": d.panel.wide})
    if alone:
        rows[-1]["wide"] = True
    return rows


def _slug(title: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())


def _checks(diagnosis: Diagnosis) -> list[Finding]:
    order = [Verdict.FAILED, Verdict.SUSPECT, Verdict.NOT_CHECKED, Verdict.HEALTHY]
    return sorted(diagnosis.findings, key=lambda f: order.index(f.verdict))


def _evaluations(run: Run) -> dict[str, Any]:
    """Returns the scores of every evaluation as a table of text, the newest first."""
    names = [n for n in run.names if n in run._evaluated]
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


def _compared(run: Run, baseline: Run | str | os.PathLike[str] | None) -> Any:
    if baseline is None:
        return None
    raise NotImplementedError


def _figure(panel: Panel) -> Any:
    figure = panel.figure
    return figure.to_plotly_json() if hasattr(figure, "to_plotly_json") else figure


def report_facts(run: Run, diagnosis: Diagnosis, drawn: Sequence[Drawn]) -> dict[str, Any]:
    """Returns the facts of the page as plain data: what report.json holds."""
    return {
        "report": 1,
        "run": str(run.about.get("name") or run.path.name),
        "verdict": str(diagnosis.verdict),
        "story": diagnosis.story,
        "steps": run.steps,
        "status": run.about.get("status"),
        "best": scorecard.best_score(run),
        "findings": [facts.finding_facts(f) for f in diagnosis.findings],
        "scorecard": [asdict(t) for t in scorecard.scorecard(run)],
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
