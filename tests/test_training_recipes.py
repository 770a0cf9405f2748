"""Recipes: each trains, resumes bit for bit, and plays under compilation and mixed precision; what they are meant to be is data."""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path

import pytest
import torch

from benchmarks.grid import PLAYS as PLAYED
from benchmarks.grid import grid_table, make_data, outcome
from benchmarks.recipes import (
    HEALTHY_DISTANCE,
    PAPER,
    PLAYS,
    PUBLISHED,
    SMALLER,
    fell_ill,
    reached,
    read,
    record,
    write_tables,
)
from gandiag.training import RECIPES, Config, effective_config, train
from gandiag.training.combinations import TWICE
from gandiag.training.loop import Outcome
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import prepare
from gandiag.training.step import play
from tests.test_resume import assert_same_run

SMALL = {  # of every recipe: small nets, few samples, all that is due in a run comes within eight steps
    "generator_width": 8,
    "discriminator_width": 8,
    "steps": 8,
    "evaluate_every": 4,
    "sample_every": 4,
    "checkpoint_every": 4,
    "evaluation_samples": 40,
    "diagnose_every": 0,
    "features": "pixels",
    "threads": 1,
}


def small(name: str, **changes: object) -> Config:
    """The recipe in small: its own game, optimizers and networks, at a fraction of the size."""
    config, _ = effective_config(name)
    batch = 8 * config.pack
    data = {"digits": "noise:side=8,count=120", "noise": "noise:side=8,count=120"}.get(config.data, config.data)
    if config.conditional or config.imbalance is not None:
        data, batch = config.data, 16
    samples = None if config.samples is None else min(config.samples, 50)
    return dataclasses.replace(config, **{**SMALL, "data": data, "batch": batch, "samples": samples, **changes})  # type: ignore[arg-type]


def played(config: Config, steps: int = 2) -> list[float]:
    """The losses of a training's first steps."""
    training = prepare(config)
    found = []
    for _ in range(steps):
        turns = play(training.players, training.rules, as_settings(initial_settings(config)), training.update)
        training.players.step += 1
        assert turns[0].fake_logits.shape == (config.batch // config.pack,)
        assert turns[1].fake.shape[1:] == training.data.shape
        found += [float(turn.loss) for turn in turns]
    return found


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_resumes_bit_for_bit(tmp_path: Path, name: str) -> None:
    config = small(name)
    train(config, out=tmp_path / "whole")
    train(dataclasses.replace(config, images=4 * config.batch), out=tmp_path / "halves")
    train(config, out=tmp_path / "halves", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "halves", 8)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_plays_under_mixed_precision(name: str) -> None:
    plain = played(small(name))
    for precision in ("bfloat16", "float16"):
        if precision == "float16" and RECIPES[name].overrides.get("update", "alternating") in (*TWICE, "extragradient"):
            continue
        mixed = played(small(name, precision=precision))
        assert all(map(math.isfinite, mixed))
        same = (
            1 if precision == "float16" else len(plain)
        )  # a loss scaler leaves its first steps out until its scale fits
        assert mixed[:same] == pytest.approx(plain[:same], rel=0.1, abs=0.05), precision


WHAT_IS_COMPILED = (
    "generator",
    "discriminator",
    "loss",
    "penalties",
    "conditional",
    "pack",
    "spectral_norm",
    "d_steps",
)


def programs() -> dict[tuple[object, ...], list[str]]:
    """The recipes by what is compiled of them: networks and how they are called; learning rates and data are no part of it."""
    found: dict[tuple[object, ...], list[str]] = {}
    for name in sorted(RECIPES):
        config, _ = effective_config(name)
        points = config.data.partition(":")[0] in ("ring", "grid")
        found.setdefault((points, *(getattr(config, field) for field in WHAT_IS_COMPILED)), []).append(name)
    return found


@pytest.mark.parametrize("names", programs().values(), ids=lambda names: names[0])
def test_every_recipe_plays_the_same_game_compiled(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    playable = [name for name in names if RECIPES[name].overrides.get("update") not in TWICE]
    if not playable:
        pytest.skip(
            "it differentiates through the other player, which is refused for compiled code: another test shows it"
        )
    monkeypatch.setattr(
        torch, "compile", functools.partial(torch.compile, backend="eager")
    )  # traced whole, no code made
    torch._dynamo.reset()
    config = small(playable[0])
    assert played(dataclasses.replace(config, compile=True)) == pytest.approx(played(config), rel=1e-3, abs=1e-4)


def test_every_recipe_and_every_row_of_the_paper_is_in_the_benchmark() -> None:
    assert {play.partition("@")[0] for play in PLAYS} == set(RECIPES)
    assert set(PUBLISHED) == set(PAPER)
    assert [effective_config(f"pacgan-{m}")[0].batch for m in (1, 2, 4)] == [100, 200, 400]  # 100 packs a step


def test_the_settings_of_the_plays_are_settings_of_their_recipes() -> None:
    for name, settings in SMALLER.items():
        assert effective_config(name, flags=settings)


def test_a_play_that_was_cut_short_leaves_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(config: Config, *, out: Path, about: object) -> Outcome:
        return Outcome(out, 3, "interrupted", "it was interrupted")

    monkeypatch.setattr("benchmarks.recipes.train", interrupted)
    with pytest.raises(SystemExit, match="ended at step 3 of 9"):
        record(tmp_path / "rows.jsonl", ["mlp"], [0], 9)
    assert not (tmp_path / "rows.jsonl").exists()


def test_what_plays_on_which_data_and_what_is_refused_with_a_reason(tmp_path: Path) -> None:
    kinds = make_data(tmp_path)
    images = {kind for kind in kinds if kind not in ("ring, grid", "points in 3-D")}
    unequal = {"folder, 15x15x3", "folder, 16x8x3"}
    everywhere = {"mlp": set(kinds), "conditional": set(kinds) - {"points in 3-D"}, "few-digits": images}
    found = {name: {kind: outcome(name, data) for kind, data in kinds.items()} for name in (*everywhere, "dcgan")}
    for name, wanted in {**everywhere, "dcgan": images - unequal}.items():
        assert {kind for kind, text in found[name].items() if text == PLAYED} == wanted, name
    table = grid_table(found)
    assert "| `dcgan` | yes | yes | yes | yes | yes | no (" in table
    assert table.count(". the network works on square images") == 1  # told once, for whatever shape


def test_what_counts_as_well_and_as_ill() -> None:
    images = {"modes_total": 10.0, "modes_covered": 10.0, "high_quality_share": None, "frechet_distance": 9.0}
    row = {"first": {"frechet_distance": 100.0}, "last": images, "verdict": "stable"}
    assert reached(row)
    assert not reached({**row, "last": {**images, "frechet_distance": HEALTHY_DISTANCE + 0.1}})
    assert not reached({**row, "last": {**images, "modes_covered": 9.0}})
    assert not reached({**row, "last": {**images, "modes_total": None}})
    points = {"modes_total": 8.0, "modes_covered": 8.0, "high_quality_share": 0.81, "frechet_distance": 9.0}
    assert reached({**row, "last": points})
    assert not reached({**row, "last": {**points, "high_quality_share": 0.79}})
    assert fell_ill({**row, "verdict": "unstable"})
    assert not fell_ill(row)
    assert not fell_ill({**row, "verdict": "suspect"})


def test_the_page_s_tables_are_those_of_the_results(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    page = tmp_path / "recipes.md"
    page.write_text((root / "docs" / "recipes.md").read_text(encoding="utf-8"), encoding="utf-8")
    write_tables(read(root / "benchmarks" / "recipes.jsonl"), page)
    remake = "remake it: python -m benchmarks.recipes table benchmarks/recipes.jsonl docs/recipes.md"
    assert page.read_text(encoding="utf-8") == (root / "docs" / "recipes.md").read_text(encoding="utf-8"), remake


def test_no_recipe_is_said_to_be_what_its_plays_are_not() -> None:
    rows = read(Path(__file__).resolve().parent.parent / "benchmarks" / "recipes.jsonl")
    for name, recipe in RECIPES.items():
        plays = [row for row in rows if row["play"] == name]
        if recipe.health != "open" and plays:
            as_meant = sum((fell_ill if recipe.health == "sick" else reached)(row) for row in plays)
            assert 2 * as_meant > len(plays), f"{name} is said to be {recipe.health}, and most of its plays are not"
