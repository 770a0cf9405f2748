"""The exam of strangers' trainings: every script carries a true label, and the runner counts what the diagnosis made of it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from benchmarks import exam
from gandiag.diagnosis import CHECKS
from tests.made_runs import MADE

CODES = {check.__name__ for check in CHECKS}
ALL = [script for which in exam.SETS for script in exam.scripts(which, [])]


@pytest.mark.parametrize("script", ALL, ids=[f"{s.parent.name}/{s.stem}" for s in ALL])
def test_a_script_says_what_it_is(script: Path) -> None:
    label, text = exam.label_of(script), script.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert label.record in ("lines", "automatic", "attach")
    assert (label.record == "attach") is ("gandiag" not in text), "who is attached to does not know of it"
    assert set(label.causes) <= CODES
    assert bool(label.causes) is label.sick
    said = "outside.say" in text or ("from outside import" in text and "\nsay(" in text)
    assert '"outcome"' in text or said


def played(folder: Path, made: str, well: bool) -> Path:
    folder.mkdir(parents=True)
    MADE[made](folder / "run", steps=600, seed=0)
    (folder / "out.txt").write_text("first\n" + json.dumps({"outcome": {"energy": 0.1}, "well": well}) + "\n")
    return folder


def script_of(folder: Path, **label: object) -> Path:
    given = {"sick": True, "causes": ["mode_collapse"], "kind": "one point", "since": 0, "record": "lines", **label}
    path = folder / "01_script.py"
    path.write_text(f'"""A script."""\nLABEL = {given!r}\n')
    return path


def test_what_was_found_is_counted(tmp_path: Path) -> None:
    sick = next(name for name in MADE if "collapse" in name)
    well = next(name for name in MADE if "healthy" in name)
    cases = (
        ({}, sick, False, "right"),
        ({"causes": ["memorisation"]}, sick, False, "found"),
        ({"doubt": "the control is ill as well"}, well, False, "MISSED"),
        ({"sick": False, "causes": []}, well, True, "well"),
        ({"sick": False, "causes": []}, sick, True, "ALARM"),
        ({}, sick, True, "left out"),
    )
    totals, sure = exam.Totals(), exam.Totals()
    for i, (label, made, is_well, mark) in enumerate(cases):
        folder = tmp_path / f"{i}"
        played(folder, made, is_well)
        assert exam.judge(script_of(folder, **label), folder, totals, sure).startswith(mark)
    assert (
        totals.line("all")
        == "all: an illness found in 2 of 3, right cause first in 1; of 2 healthy ones FAILED 1, suspected 0"
    )
    assert sure.line("sure").startswith("sure: an illness found in 2 of 2, right cause first in 1;")


def test_a_script_that_left_no_recording_is_a_miss(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text('{"outcome": {}, "well": false}\n')
    totals = exam.Totals()
    assert "nothing was recorded" in exam.judge(script_of(tmp_path), tmp_path, totals, exam.Totals())
    assert totals.found == [False]
