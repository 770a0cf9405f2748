"""Sweeps: the grid, a cell with its report and its pruner, and the command from the grid to the map."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.tiny_ring import TINY_RING
from gandiag.cli import main
from gandiag.errors import UsageError
from gandiag.run import load_run
from gandiag.training import sweep_engines
from gandiag.training.sweep import Cell, CellResult, cells, parse_grid, play_cell, train_cell
from gandiag.training.sweep_engines import sweep

TINY = dataclasses.replace(
    TINY_RING,
    steps=20,
    evaluate_every=5,
    sample_every=0,
    evaluation_samples=100,
    diagnose_every=0,
    measure=(),
)


def test_a_grid_is_every_combination_and_each_has_its_folder() -> None:
    assert parse_grid("gamma=1e+1") == {"gamma": ["1e+1"]}
    grid = parse_grid("lr_g=1e-4:1e-3, penalties=r1:r1+r2,seed=0")
    assert grid == {"lr_g": ["1e-4", "1e-3"], "penalties": ["r1", "r1,r2"], "seed": ["0"]}
    found = cells(grid, Path("out"))
    assert len(found) == 4
    assert found[1].settings == {"lr_g": "1e-4", "penalties": "r1,r2", "seed": "0"}
    assert found[1].path == Path("out/lr_g=1e-4_penalties=r1+r2_seed=0")


def test_values_that_hold_a_colon_are_apart_by_a_bar() -> None:
    grid = parse_grid("data=mnist:../a/b|ring:modes=4,sd=.1|digits,seed=0:1,generator=my.net:make|mlp")
    assert grid == {
        "data": ["mnist:../a/b", "ring:modes=4,sd=.1", "digits"],
        "seed": ["0", "1"],
        "generator": ["my.net:make", "mlp"],
    }
    found = [c.path for c in cells(grid, Path("out"))]
    assert len(set(found)) == len(found) == 12
    assert {p.parent for p in found} == {Path("out")}  # a slash in a value makes no folder of its own
    assert not any(":" in p.name for p in found)
    assert parse_grid("data=digits:ring") == {"data": ["digits", "ring"]}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("data=mnist:DIR", r"apart by a bar.*'data=mnist:DIR\|digits'"),
        ("data=ring:modes=4|grid,lrg=1", "did you mean 'lr_g'"),
        ("", "no setting"),
        ("lr_g", "reads"),
        ("lr_g=", "reads"),
        ("lrg=1", "did you mean 'lr_g'"),
        ("seed=a", "whole number"),
        ("seed=0,seed=1", "twice"),
        ("lr_g=1e-3:0.001", "value 0.001 twice"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(text: str, wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        parse_grid(text)


def test_every_evaluation_is_reported_once_and_a_pruner_ends_the_cell(tmp_path: Path) -> None:
    reports: list[tuple[int, set[str]]] = []

    def report(scores: Mapping[str, object], step: int) -> None:
        reports.append((step, {name.partition("[")[0] for name in scores}))

    result = train_cell(TINY, out=tmp_path / "whole", report=report)
    assert (result.step, result.ended) == (20, "finished")
    assert [step for step, _ in reports] == [0, 5, 10, 15, 20]
    assert all("modes_covered" in names for _, names in reports)
    for every in (5, 1):
        config = dataclasses.replace(TINY, evaluate_every=every)
        result = train_cell(config, out=tmp_path / f"pruned-{every}", should_stop=lambda: True)
        assert (result.step, result.ended) == (1, "stopped")


def test_the_command_trains_every_cell_draws_the_map_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["sweep", "--over", "lr_g=1e-3:1e-2", "--out", str(tmp_path / "sweep"), "--jobs", "1", "--json"]
    for name in ("data", "steps", "generator_width", "discriminator_width", "batch", "evaluation_samples"):
        args += ["--set", f"{name}={getattr(TINY, name)}"]
    with pytest.raises(SystemExit) as ended:
        main(args)
    facts = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert len(facts["cells"]) == 2
    assert all(cell["step"] == 20 and not cell["error"] for cell in facts["cells"])
    assert Path(facts["map"]).stat().st_size > 10_000
    created = {p: load_run(p).about["created"] for p in (tmp_path / "sweep").iterdir() if p.is_dir()}
    assert len(created) == 2
    with pytest.raises(SystemExit):
        main(args)
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 2
    assert {p: load_run(p).about["created"] for p in created} == created


SETTINGS = {
    name: str(getattr(TINY, name)) for name in ("data", "steps", "generator_width", "batch", "evaluation_samples")
}


def test_one_setting_has_one_value_in_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="seed is swept over and given a single value too"):
        list(sweep(parse_grid("seed=0:1"), recipe="mlp", settings={"seed": "3"}, out=tmp_path / "out", jobs=1))
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "--over", "seed=0:1", "--set", "steps=3", "--steps", "4", "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert "steps is given by a flag and by --set" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_cell_of_other_settings_is_not_judged_in_the_place_of_the_one_that_was_asked_for(tmp_path: Path) -> None:
    cell = Cell({"seed": "0"}, tmp_path / "seed=0")
    assert not play_cell(cell, "mlp", {**SETTINGS, "steps": "4"}).error
    assert "steps=4, now 6" in play_cell(cell, "mlp", {**SETTINGS, "steps": "6"}).error
    assert not play_cell(cell, "mlp", {**SETTINGS, "steps": "4", "threads": "2"}).error


@pytest.mark.parametrize(
    ("over", "engine", "wanted"),
    [
        ("lr_g=1e-4:1e-3", "dask", "there are pool, ray, optuna"),
        ("lr_g=1e-4..1e-3", "pool", "--engine optuna"),
        ("batch=7,accumulate=2", "pool", "divisible"),
        ("lr_g=1e-4..x", "optuna", "must be a number"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_before_anything_is_trained(
    tmp_path: Path, over: str, engine: str, wanted: str
) -> None:
    with pytest.raises(UsageError, match=wanted):
        list(sweep(parse_grid(over), recipe="mlp", settings={}, out=tmp_path / "out", jobs=1, engine=engine))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("engine", ["ray", "optuna"])
def test_an_engine_that_is_not_installed_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setitem(sys.modules, engine, None)  # as if it were not there
    with pytest.raises(UsageError, match=rf"pip install gandiag\[{engine}\]"):
        list(sweep({"lr_g": ["1e-3"]}, recipe="mlp", settings={}, out=tmp_path, jobs=1, engine=engine))


def test_a_cell_says_its_score_and_is_only_judged_where_it_is_there(tmp_path: Path) -> None:
    cell = Cell({"lr_g": "1e-3"}, tmp_path / "cell")
    first = play_cell(cell, "mlp", {**SETTINGS, "generator_depth": "1"})
    assert (first.step, first.ended, first.error, first.score_name) == (20, "finished", "", "mode_kl")
    created = load_run(cell.path).about["created"]
    again = play_cell(cell, "mlp", {**SETTINGS, "generator_depth": "1"})
    assert (again.score, again.verdict, again.cell) == (first.score, first.verdict, cell)
    assert load_run(cell.path).about["created"] == created
    assert "batch" in play_cell(Cell({"batch": "100000"}, tmp_path / "big"), "mlp", {"data": "digits"}).error


class Asked:
    """What Optuna's trial is asked for, and what its study is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def suggest_categorical(self, name: str, values: list[str]) -> str:
        self.asked.append((name, *values))
        return values[-1]

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        self.asked.append((name, low, high, log))
        return 0.0012345

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        self.asked.append((name, low, high, log))
        return 12

    def report(self, score: float, step: int) -> None:
        self.asked.append(("report", score, step))


def test_values_are_chosen_out_of_lists_and_ranges_and_stay_readable() -> None:
    trial = Asked()
    assert sweep_engines._chosen(trial, "loss", ["hinge", "minimax"]) == "minimax"
    assert sweep_engines._chosen(trial, "lr_g", ["1e-4..1e-2"]) == "0.0012"
    assert sweep_engines._chosen(trial, "beta1", ["0..0.9"]) == "0.0012"
    assert sweep_engines._chosen(trial, "batch", ["8..64"]) == "12"
    assert [row[-1] for row in trial.asked[1:]] == [True, False, False]  # by factors where the ends are far apart
    with pytest.raises(UsageError, match="the smaller one first"):
        sweep_engines._chosen(trial, "lr_g", ["1e-2..1e-4"])


def test_optuna_is_told_scores_of_what_is_well_and_prunings_of_what_is_ill() -> None:
    from types import SimpleNamespace

    state = SimpleNamespace(FAIL="fail", PRUNED="pruned")
    optuna = SimpleNamespace(trial=SimpleNamespace(TrialState=state))
    told: list[object] = []
    study = SimpleNamespace(tell=lambda trial, score=None, state=None: told.append(state or score))
    well = CellResult(Cell({}, Path()), 9, "finished", "stable", "", score=0.5)
    trial = Asked()
    for result in (
        well,
        dataclasses.replace(well, verdict="unstable", score=None),
        dataclasses.replace(well, error="no data"),
        dataclasses.replace(well, score=float("nan")),
    ):
        sweep_engines._tell(optuna, study, trial, result)
    assert told == [0.5, "pruned", "fail", sweep_engines.UNSTABLE]
    assert trial.asked == [("report", sweep_engines.UNSTABLE, 9)]


def test_optuna_really_chooses_trains_and_draws_the_map(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="optuna is not installed: its study is not driven here")
    found = list(
        sweep(parse_grid("lr_g=1e-4..1e-1,loss=hinge:non-saturating"), recipe="mlp", settings=SETTINGS,
              out=tmp_path, jobs=1, engine="optuna", trials=2)
    )  # fmt: skip
    assert len(found) == 2
    assert all(not result.error and result.step == 20 for result in found)


def test_a_cell_that_optuna_chooses_while_it_is_trained_is_not_begun_twice(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="optuna is not installed: its study is not driven here")
    found = list(
        sweep(parse_grid("seed=0"), recipe="mlp", settings=SETTINGS, out=tmp_path, jobs=2, engine="optuna", trials=3)
    )
    assert [result.error for result in found] == ["", "", ""]
