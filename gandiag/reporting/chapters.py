"""Chapters: sections drawn, each panel under an id of its own, in rows of two, under the heading of its chapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gandiag.diagnosis.finding import Diagnosis
from gandiag.errors import NotRecorded
from gandiag.reporting.facts import check_title
from gandiag.reporting.panel import Panel, Section, missing_sentence
from gandiag.reporting.sections import SECTIONS
from gandiag.reporting.sections_cost import own_series
from gandiag.run import Run


@dataclass(frozen=True)
class Drawn:
    """A panel with the id under which the page holds it."""

    id: str
    panel: Panel


def draw(run: Run, diagnosis: Diagnosis, sections: Sequence[Section] = SECTIONS) -> list[Drawn]:
    """Draws every section, and what the user's own probes measured; a section that raises NotRecorded becomes a panel that says so."""
    drawn: list[Drawn] = []
    for section in sections:
        name = getattr(section, "__name__", type(section).__name__)
        try:
            panel = section(run, diagnosis)
        except NotRecorded as error:
            panel = Panel(check_title(name), "", missing=missing_sentence(error))
        drawn.append(Drawn(_own_id(name, {d.id for d in drawn}), panel))
    for name, panel in own_series(run, diagnosis):
        drawn.append(Drawn(_own_id(name, {d.id for d in drawn}), panel))
    return drawn


def _own_id(name: str, taken: set[str]) -> str:
    """Returns an id for a panel that no other one has."""
    own = slug(name) or "panel"
    return next(i for i in (own, *(f"{own}-{n}" for n in range(2, len(taken) + 3))) if i not in taken)


def chapters(drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Returns the panels by chapter: those with a figure in rows, and those without one."""
    found: dict[str, dict[str, Any]] = {}
    for d in drawn:
        title = d.panel.chapter or "More"
        chapter = found.setdefault(title, {"title": title, "id": "chapter-" + slug(title), "panels": [], "missing": []})
        chapter["missing" if d.panel.figure is None else "panels"].append(d)
    for chapter in found.values():
        chapter["panels"] = _rows(chapter["panels"])
    return list(found.values())


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


def slug(title: str) -> str:
    """Returns a title as an id: letters, digits and dashes."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())


def figures(drawn: Sequence[Drawn]) -> dict[str, Any]:
    """Returns the plotly figures of what was drawn, by panel id."""
    return {d.id: _plain(d.panel.figure) for d in drawn if d.panel.figure is not None}


def _plain(figure: Any) -> Any:
    return figure.to_plotly_json() if hasattr(figure, "to_plotly_json") else figure
