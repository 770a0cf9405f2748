"""Sweeps: the grid, a cell with its report and its pruner, and the command from the grid to the map."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from gandiag.cli import main
from gandiag.errors import UsageError
from gandiag.run import load_run
from gandiag.training import Config
from gandiag.training.sweep import cells, parse_grid, train_cell

TINY = dataclasses.replace(
    Config(),
    data="ring:sd=0.05",
    generator_width=8,
    generator_depth=1,
    discriminator_width=8,
    discriminator_depth=1,
    latent_size=2,
    batch=16,
    steps=20,
    evaluate_every=5,
    sample_every=0,
    evaluation_samples=100,
    diagnose_every=0,
    measure=(),
)


def test_a_grid_is_every_combination_and_each_has_its_folder() -> None:
    grid = parse_grid("lr_g=1e-4:1e-3, penalties=r1:r1+r2,seed=0")
    assert grid == {"lr_g": ["1e-4", "1e-3"], "penalties": ["r1", "r1,r2"], "seed": ["0"]}
    found = cells(grid, Path("out"))
    assert len(found) == 4
    assert found[1].settings == {"lr_g": "1e-4", "penalties": "r1,r2", "seed": "0"}
    assert found[1].path == Path("out/lr_g=1e-4_penalties=r1+r2_seed=0")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "no setting"),
        ("lr_g", "reads"),
        ("lr_g=", "reads"),
        ("lrg=1", "did you mean 'lr_g'"),
        ("seed=a", "whole number"),
        ("seed=0,seed=1", "twice"),
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
    result = train_cell(TINY, out=tmp_path / "pruned", should_stop=lambda: True)
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
