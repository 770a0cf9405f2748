"""The gallery's own test: every page that is listed is there, holds its verdict, names a command that works, and shares one plotly.js."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gandiag.training import RECIPES

REPORTS = Path(__file__).parent.parent / "reports"
LIMIT = 15_000_000  # bytes of all pages, plotly.js apart


@pytest.fixture(scope="module")
def remake() -> Any:
    return SimpleNamespace(**runpy.run_path(str(REPORTS / "remake.py")))


def test_every_page_is_there_and_listed_with_its_command(remake: Any) -> None:
    readme, index = (
        (REPORTS / "README.md").read_text(encoding="utf-8"),
        (REPORTS / "index.html").read_text(encoding="utf-8"),
    )
    for entry in remake.GALLERY:
        told = json.loads((REPORTS / f"{entry.name}.json").read_text(encoding="utf-8"))
        assert (REPORTS / f"{entry.name}.html").is_file()
        assert f"[{entry.title}]({entry.name}.html) | **{told['verdict']}**" in readme
        assert f"`{entry.command.replace('{mnist}', 'DIR')}`" in readme
        assert f'href="{entry.name}.html"' in index
    for file, _, command in remake.OTHERS:
        assert (REPORTS / file).is_file()
        assert f"`{command}`" in readme


def test_the_commands_name_recipes_that_there_are(remake: Any) -> None:
    for entry in remake.GALLERY:
        words = entry.command.split()
        if "--recipe" in words:
            assert words[words.index("--recipe") + 1] in RECIPES
    assert {f"fault-{name}" for name in ("unbounded", "cooperative", "shared-objective", "saturated")} <= {
        e.name for e in remake.GALLERY
    }


def test_the_pages_share_one_plotly_and_stay_small() -> None:
    pages = [p for p in REPORTS.glob("*.html") if not p.name.startswith("index")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert '<script src="plotly.min.js"' in text, page.name
    assert sum(p.stat().st_size for p in REPORTS.iterdir() if p.name != "plotly.min.js") < LIMIT


def test_the_listed_verdicts_are_those_of_the_names() -> None:
    verdicts = {p.stem: json.loads(p.read_text(encoding="utf-8"))["verdict"] for p in REPORTS.glob("*.json")}
    assert verdicts["healthy-digits"] == verdicts["ring-dynamics"] == "stable"
    for name in ("rotating-collapse", "divergence", "dirac", *(n for n in verdicts if n.startswith("fault-"))):
        assert verdicts[name] == "unstable", name
