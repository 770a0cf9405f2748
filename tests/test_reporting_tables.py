"""`gandiag list`, `gandiag show` and `gandiag report`: the numbers, with absent apart from NaN."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from click.testing import CliRunner

from gandiag.cli import list_runs, report, show
from gandiag.errors import NotRecorded, RunError, UsageError
from gandiag.run import RunWriter


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "runs" / "a"
    with RunWriter(path, {"name": "a", "data": {"name": "ring"}}) as writer:
        writer.append("every-1", np.arange(4), {"discriminator_loss": np.array([1.0, np.nan, np.inf, 4.0])})
        writer.append(
            "every-2",
            np.array([0, 2]),
            {"diversity_ratio": np.array([0.5, 0.25]), "v": np.array([[1.0, 2.0], [3.0, 4.0]])},
            labels={"v": ["x", "y"]},
        )
    return path


def shown(*args: object) -> str:
    done = CliRunner().invoke(show.command, [str(a) for a in args])
    if done.exception:
        raise done.exception
    return done.stdout


def test_csv_leaves_absent_empty_and_says_nan(run: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(shown(run, "--csv"))))
    assert [r["discriminator_loss"] for r in rows] == ["1", "nan", "inf", "4"]
    assert [r["diversity_ratio"] for r in rows] == ["0.5", "", "0.25", ""]
    assert [r["v/y"] for r in rows] == ["2", "", "4", ""]


def test_parquet_keeps_null_apart_from_nan(run: Path, tmp_path: Path) -> None:
    shown(run, "--parquet", tmp_path / "x.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    assert table["diversity_ratio"].to_pylist() == [0.5, None, 0.25, None]
    losses = table["discriminator_loss"].to_pylist()
    assert math.isnan(losses[1])
    assert losses[2] == math.inf


def test_json_is_one_document_with_steps_and_values(run: Path) -> None:
    found = json.loads(shown(run, "discriminator_loss", "v", "--json"))
    assert found["discriminator_loss"]["values"] == [1.0, "NaN", "Infinity", 4.0]
    assert found["discriminator_loss"]["steps"] == [0, 1, 2, 3]
    assert found["v"]["labels"] == ["x", "y"]
    assert found["v"]["values"] == [[1.0, 2.0], [3.0, 4.0]]
    assert set(found) == {"discriminator_loss", "v"}


def test_the_overview_has_a_line_a_series(run: Path) -> None:
    lines = shown(run).splitlines()
    assert lines[0].split() == ["series", "values", "first", "last", "smallest", "largest"]
    assert lines[1].split() == ["discriminator_loss", "4", "1", "4", "1", "4"]
    assert lines[3].split()[:4] == ["v", "2", "x", "2"]


def test_a_mistyped_series_is_met_with_the_nearest(run: Path) -> None:
    with pytest.raises(NotRecorded, match="did you mean 'diversity_ratio'"):
        shown(run, "diversity_rato")
    with pytest.raises(UsageError, match="exclude each other"):
        shown(run, "--csv", "--json")


def test_list_finds_runs_below_and_says_their_verdicts(run: Path) -> None:
    (run.parent / "not-a-run").mkdir()
    (run.parent / "not-a-run" / "run.json").write_text('{"format": 99}')
    rows = json.loads(CliRunner().invoke(list_runs.command, [str(run.parent), "--json"]).stdout)
    assert [(r["name"], r["steps"], r["data"]) for r in rows] == [("a", 4, "ring")]
    said = CliRunner().invoke(list_runs.command, [str(run.parent)])
    assert said.stderr.startswith("Left out: ")
    assert "not-a-run" in said.stderr
    text = said.stdout.splitlines()
    assert text[0].split()[0] == "verdict"
    assert str(run) in text[1]
    as_csv = list(csv.DictReader(io.StringIO(CliRunner().invoke(list_runs.command, [str(run.parent), "--csv"]).stdout)))
    assert as_csv[0]["steps"] == "4"


def test_list_of_nothing_and_of_no_folder(tmp_path: Path) -> None:
    done = CliRunner().invoke(list_runs.command, [str(tmp_path)])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert isinstance(CliRunner().invoke(list_runs.command, [str(tmp_path / "none")]).exception, RunError)


def test_report_writes_the_page_and_its_facts(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(report.command, [str(run), "--plotlyjs", "directory"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(run / "report.html")
    assert {"report.html", "report.json", "plotly.min.js"} <= {f.name for f in run.iterdir()}
    said = CliRunner().invoke(report.command, [str(run), "--markdown"]).stdout
    assert said.startswith("## ")
    CliRunner().invoke(report.command, [str(run), "--markdown", "-o", str(tmp_path / "r.md")])
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == said
    assert isinstance(CliRunner().invoke(report.command, [str(tmp_path)]).exception, RunError)
