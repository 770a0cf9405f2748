"""`gandiag check`: exit codes, gates, JSON, JUnit, Markdown, limits, baselines, and other people's logs."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gandiag.cli import group, main
from gandiag.diagnosis import CHECKS
from gandiag.reporting import facts
from gandiag.run import load_run
from tests import made_runs

STEPS = 600


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name in ("healthy", "rotating_collapse", "range_mismatch", "only_losses", "empty"):
        made_runs.MADE[name](folder / name, steps=STEPS)
    return folder


def check(*args: str) -> Result:
    return CliRunner().invoke(group, ["check", *args], standalone_mode=False, catch_exceptions=False)


def test_a_damaged_table_is_said_beside_the_verdict(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "healthy", tmp_path / "run")
    tables = sorted((tmp_path / "run" / "tables").iterdir())
    said = check(str(tmp_path / "run"))
    assert said.stderr == ""
    tables[0].write_bytes(b"rubbish")
    said = check(str(tmp_path / "run"), "--json")
    assert said.stderr == f"{tables[0]} is damaged: it is judged by what is left\n"
    assert json.loads(said.stdout)
    assert facts.reproduce(load_run(tmp_path / "run"))["could_not_tell"] == [
        f"tables/{tables[0].name} is damaged: what it held is missing"
    ]


def test_a_folder_of_runs_and_logs_is_judged_whole(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "healthy", tmp_path / "b")
    shutil.copytree(runs / "range_mismatch", tmp_path / "a")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "stats.jsonl").write_text('{"Progress/kimg": 1, "Loss/G/loss": 1.0}\n{"Progress/kimg": 2}\n')
    (tmp_path / "notes").mkdir()
    (tmp_path / "elsewhere").symlink_to(runs / "rotating_collapse")  # what a link leads to is not in the folder
    judged = json.loads(check(str(tmp_path), "--json").stdout)
    assert [Path(run["run"]).name for run in judged["runs"]] == ["a", "b", "c"]
    assert [run["verdict"] for run in judged["runs"]] == ["unstable", "stable", "inconclusive"]
    assert code_of("check", str(tmp_path / "notes")) == 3


def code_of(*args: str) -> int:
    with pytest.raises(SystemExit) as raised:
        main(["check", *args])
    return int(raised.value.code or 0)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["healthy"], 0),
        (["rotating_collapse"], 1),
        (["healthy", "rotating_collapse"], 1),
        (["rotating_collapse", "--fail-on", "never"], 0),
        (["rotating_collapse", "--fail-on", "divergence,numerical_failure"], 0),
        (["rotating_collapse", "--fail-on", "divergence,mode_collapse"], 1),
        (["only_losses"], 0),
        (["only_losses", "--fail-on", "inconclusive"], 1),
        (["empty"], 0),
        (["nothing-here"], 3),
        ([], 2),
        (["healthy", "--fail-on", "faild"], 2),
        (["healthy", "--map", "x"], 2),
    ],
)
def test_exit_codes(
    args: list[str], code: int, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs)
    assert code_of(*args) == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_typo_gets_a_suggestion(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(str(runs / "healthy"), "--fail-on", "mode_colapse") == 2
    assert "did you mean 'mode_collapse'" in capsys.readouterr().err


def test_the_text_names_illness_onset_and_remedy(runs: Path) -> None:
    said = check(str(runs / "rotating_collapse")).output
    assert "UNSTABLE" in said
    assert "FAIL mode_collapse (rotating), from step 120" in said
    assert "try: " in said
    assert "pass" not in said
    assert "pass divergence" in check(str(runs / "rotating_collapse"), "--all").output


def test_json_is_one_document_with_every_finding(runs: Path) -> None:
    told = json.loads(check(str(runs / "healthy"), str(runs / "range_mismatch"), "--json").output)
    assert [r["verdict"] for r in told["runs"]] == ["stable", "unstable"]
    assert {f["check"] for f in told["runs"][0]["findings"]} == {c.__name__ for c in CHECKS}
    assert told["failing"][0]["check"] == "data_mismatch"
    finding = told["runs"][1]["findings"][0]
    assert set(finding) >= {
        "check",
        "verdict",
        "claim",
        "cause",
        "remedies",
        "series",
        "onset",
        "confidence",
        "because_of",
        "kind",
    }


def test_junit_counts_failures_and_skips(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "checks.xml"
    check(str(runs / "rotating_collapse"), str(runs / "only_losses"), "--junit", str(file))
    suites = ET.fromstring(file.read_text()).findall("testsuite")
    assert [s.get("name") for s in suites] == [str(runs / "rotating_collapse"), str(runs / "only_losses")]
    failed = {case.get("name") for case in suites[0].findall("testcase") if case.find("failure") is not None}
    assert "mode_collapse" in failed
    assert suites[0].get("failures") == str(len(failed))
    skipped = [case for case in suites[1].findall("testcase") if case.find("skipped") is not None]
    assert suites[1].get("skipped") == str(len(skipped)) != "0"


def test_what_a_gate_fails_on_is_not_counted_as_skipped(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "checks.xml"
    check(str(runs / "only_losses"), "--fail-on", "inconclusive", "--junit", str(file))
    suite = ET.fromstring(file.read_text())[0]
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped"))) == "0"
    assert suite.get("failures") == str(len(suite.findall("testcase/failure")))


def test_junit_has_what_ants_and_jenkins_schemas_ask_for(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "checks.xml"
    check(
        str(runs / "rotating_collapse"),
        str(runs / "healthy"),
        "--baseline",
        str(runs / "healthy"),
        "--junit",
        str(file),
    )
    root = ET.fromstring(file.read_text())
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        assert set(suite.attrib) == {
            "name",
            "package",
            "id",
            "tests",
            "failures",
            "skipped",
            "errors",
            "time",
            "timestamp",
            "hostname",
        }
        assert suite.get("id") == str(number)
        tags = [part.tag for part in suite]
        cases = len(suite.findall("testcase"))
        assert tags == ["properties", *["testcase"] * cases, "system-out", "system-err"]
        for case in suite.findall("testcase"):
            assert set(case.attrib) == {"name", "classname", "time"}
            assert [part.tag for part in case] in ([], ["failure"], ["skipped"])


def test_hostile_names_stay_text_in_junit_markdown_and_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a|b<script>`x"
    facts = {"data": {"name": "\x1b[31mred", "kind": "images"}}
    made_runs.made(path, steps=STEPS, facts=facts, slow={"real_batch_repeat": np.ones(60)})
    page, xml = tmp_path / "checks.md", tmp_path / "checks.xml"
    said = check(str(path), "--markdown", str(page), "--junit", str(xml)).output
    assert "\x1b" not in said
    assert "<script>" not in page.read_text()
    assert "a\\|b" in page.read_text()
    assert ET.fromstring(xml.read_text()).find("testsuite") is not None


def test_markdown_tells_each_illness(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "checks.md"
    check(str(runs / "rotating_collapse"), "--markdown", str(file))
    assert "| `mode_collapse` (rotating) | failed | 120 |" in file.read_text()


def test_limits_come_from_a_file(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("update_ratio_high = 1e-4\nupdate_ratio_suspect = 1e-5\n")
    assert code_of(str(runs / "healthy"), "--limits", str(file)) == 1
    file.write_text("no_such_limit = 1\n")
    assert code_of(str(runs / "healthy"), "--limits", str(file)) == 2


def test_a_log_is_judged_by_its_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.csv"
    file.write_text("n,mine,fid\n" + "\n".join(f"{i * 100},{1.0 + i / 50},{-1e40}" for i in range(30)))
    assert code_of("--csv", str(file), "--map", "mine=discriminator_loss", "--map", "n=step", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["runs"][0]["findings"][0]["check"] == "metric_fault"


def seeds(folder: Path, name: str, distance: float, spread: float) -> list[str]:
    """Three seeds of a run whose Frechet distance lies round `distance`."""
    paths = []
    for seed, offset in enumerate((-1, 0, 1)):
        path = folder / f"{name}-{seed}"
        made_runs.made(
            path, steps=STEPS, seed=seed,
            scores=lambda s, o=offset: {"frechet_distance[digits-cnn]": distance * (1 + spread * o), "modes_covered": 10},
        )  # fmt: skip
        paths.append(str(path))
    return paths


def test_a_regression_is_told_from_the_noise_of_seeds(tmp_path: Path) -> None:
    good = seeds(tmp_path, "good", 20.0, 0.05)
    for name, distance, spread, worse in (
        ("worse", 30.0, 0.05, True),
        ("noisy", 22.0, 0.3, False),
        ("better", 10.0, 0.05, False),
    ):
        mine = seeds(tmp_path, name, distance, spread)
        result = check(*mine, *(part for b in good for part in ("--baseline", b)), "--json")
        told = json.loads(result.output)
        change = next(c for c in told["changes"] if c["score"].startswith("frechet"))
        assert change["worse"] is worse, change
        assert ("regression" in {f["check"] for f in told["failing"]}) is worse
        assert change["p"] is not None


def test_one_run_against_one_baseline_uses_the_noise_of_evaluations(tmp_path: Path) -> None:
    good, worse = seeds(tmp_path, "good", 20.0, 0.0)[0], seeds(tmp_path, "worse", 40.0, 0.0)[0]
    told = json.loads(check(worse, "--baseline", good, "--json").output)
    change = next(c for c in told["changes"] if c["score"].startswith("frechet"))
    assert (change["worse"], change["p"]) == (True, None)
    same = json.loads(check(good, "--baseline", good, "--json").output)
    assert not [c for c in same["changes"] if c["worse"]]
    assert same["failing"] == []


@pytest.mark.parametrize(("now", "worse"), [(21.0, False), (40.0, True)])
def test_one_score_on_each_side_has_no_noise_to_be_judged_by(tmp_path: Path, now: float, worse: bool) -> None:
    for name, score in (("good", 20.0), ("now", now)):
        (tmp_path / f"{name}.csv").write_text(f"step,d_loss,fid\n0,1,\n600,1,{score}\n")
    told = json.loads(check(str(tmp_path / "now.csv"), "--baseline", str(tmp_path / "good.csv"), "--json").output)
    assert [c["worse"] for c in told["changes"]] == [worse]


def test_a_new_illness_is_a_regression_whatever_the_gate(runs: Path) -> None:
    told = json.loads(
        check(
            str(runs / "rotating_collapse"), "--baseline", str(runs / "healthy"), "--fail-on", "divergence", "--json"
        ).output
    )
    assert "mode_collapse" in {f["check"] for f in told["failing"]}


def test_help_ends_with_examples_that_begin_with_the_program() -> None:
    said = CliRunner().invoke(group, ["check", "--help"]).output
    assert "gandiag check runs/" in said


def test_an_empty_gate_is_a_mistake_and_not_a_pass(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for nothing in ("", " , "):  # what a variable that nobody set leaves
        assert code_of(str(runs / "rotating_collapse"), "--fail-on", nothing) == 2
        assert "--fail-on is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("blocks = 0", "a whole number of at least 1"),
        ("steps_needed = 12.7", "a whole number of at least 1"),
        ("dominance_auc = -0.9", "the sign of 0.99"),
        ("copying_z = 5", "the sign of -5"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(
    runs: Path, tmp_path: Path, line: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "limits.toml").write_text(line)
    assert code_of(str(runs / "healthy"), "--limits", str(tmp_path / "limits.toml")) == 2
    assert says in capsys.readouterr().err


def test_columns_that_are_not_understood_are_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,d_loss,gen lss\n0,1,2\n5,1,2\n")
    said = check(str(tmp_path / "log.csv"), "--json")
    assert "nothing is known of gen lss; say what they are with --map" in said.stderr
    assert json.loads(said.stdout)
