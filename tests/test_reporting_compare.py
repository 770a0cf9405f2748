"""Comparison: configuration differences first, groups of seeds, what is more than noise, curves aligned, and the stability map."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import made_runs
import numpy as np
import pytest
from click.testing import CliRunner

from gandiag.cli.compare import command
from gandiag.diagnosis.finding import Overall
from gandiag.errors import UsageError
from gandiag.reporting import compare_runs, comparison_markdown, write_comparison, write_report
from gandiag.reporting.decimate import untyped
from gandiag.reporting.noise import Score, more_than_noise
from gandiag.reporting.overlay import overlay, overlays
from gandiag.reporting.stability_map import cells, stability_map, table
from gandiag.run import RunWriter

STEPS = 120


def made(
    path: Path,
    *,
    lr_g: float = 1e-3,
    seed: int = 0,
    frechet: float = 10.0,
    half: float | None = None,
    batch: int = 64,
    **about: Any,
) -> Path:
    """A small run: losses that shift with the seed, and one evaluation."""
    config = {"lr_g": lr_g, "lr_d": 1e-3, "seed": seed, "batch": batch, "out": str(path)}
    steps = np.arange(STEPS)
    with RunWriter(path, {"config": config, "recipe": "mlp", "seed": seed} | about) as writer:
        losses = {"discriminator_loss": 1.3 + 0.1 * seed + 0 * steps, "images_seen": (steps + 1.0) * batch}
        writer.append("every-1", steps, losses)
        scores = {"frechet_distance[digits-cnn]": frechet}
        if half is not None:
            scores |= {
                "frechet_distance_low[digits-cnn]": frechet - half,
                "frechet_distance_high[digits-cnn]": frechet + half,
            }
        writer.record("evaluations", {"step": STEPS - 1, "scores": scores})
    return path


def test_runs_that_differ_in_their_seed_alone_are_one_group(tmp_path: Path) -> None:
    runs = [made(tmp_path / f"{lr}-{seed}", lr_g=lr, seed=seed) for lr in (1e-3, 1e-2) for seed in (0, 1, 2)]
    comparison = compare_runs(runs)
    assert [c.group for c in comparison.runs] == [0, 0, 0, 1, 1, 1]
    assert comparison.groups == ("lr_g=0.001 (3 seeds)", "lr_g=0.01 (3 seeds)")
    assert [o for o, _ in comparison.options] == ["lr_g", "seed"]
    assert dict(comparison.options)["lr_g"] == ("0.001",) * 3 + ("0.01",) * 3
    assert len(compare_runs(runs, by_group=False).groups) == 6


def test_a_difference_is_called_one_only_beyond_the_noise() -> None:
    calm, far, near = Score((10.0, 10.2, 9.9, 10.1)), Score((14.0, 14.1, 13.8)), Score((10.1, 9.8, 10.2))
    assert more_than_noise(calm, far, "lower").startswith("worse (by 3.92")
    assert more_than_noise(calm, far, "higher").startswith("better")
    assert more_than_noise(calm, far, "neither").startswith("differs")
    assert more_than_noise(calm, near, "lower").startswith("within noise (Welch over seeds")
    one, other = Score((10.0,), sd=1.0), Score((11.0,), sd=1.0)
    assert more_than_noise(one, other, "lower") == "within noise (intervals of one run each, p 0.48)"  # z = 1/sqrt(2)
    assert more_than_noise(one, Score((20.0,), sd=1.0), "lower").startswith("worse")
    assert more_than_noise(Score((1.0,)), Score((9.0,)), "lower") == "noise unknown: repeat with more seeds"
    assert more_than_noise(Score(()), one, "lower") == "not in both"


def test_scores_carry_the_interval_of_their_run(tmp_path: Path) -> None:
    runs = [made(tmp_path / "a", frechet=10, half=1), made(tmp_path / "b", frechet=30, half=2, lr_g=0.1)]
    row = compare_runs(runs).scores[0]
    assert row.score == "frechet_distance[digits-cnn]"
    assert row.values == ("10 ± 1", "30 ± 2")
    assert row.verdicts[1].startswith("worse (by 20")


def test_curves_align_by_images_seen(tmp_path: Path) -> None:
    runs = [made(tmp_path / "a", batch=64), made(tmp_path / "b", batch=128)]
    comparison = compare_runs(runs)
    by_step = overlay(comparison, "discriminator_loss", chapter="")
    by_images = overlay(comparison, "discriminator_loss", chapter="", align="images")
    assert by_step is not None
    assert by_images is not None
    assert [untyped(t["x"]).max() for t in by_step.figure["data"]] == [STEPS - 1] * 2
    assert [untyped(t["x"]).max() for t in by_images.figure["data"]] == [64 * STEPS, 128 * STEPS]
    assert overlay(comparison, "duality_gap", chapter="") is None


def test_the_band_of_a_group_holds_each_of_its_seeds(tmp_path: Path) -> None:
    runs = [made(tmp_path / f"{lr}-{seed}", lr_g=lr, seed=seed) for lr in (1e-3, 1e-2) for seed in (0, 1, 2)]
    panel = overlay(compare_runs(runs), "discriminator_loss", chapter="")
    assert panel is not None
    low, high, middle = (untyped(t["y"]) for t in panel.figure["data"][:3])
    np.testing.assert_allclose(low, 1.3)
    np.testing.assert_allclose(high, 1.5)
    np.testing.assert_allclose(middle, 1.4)


def test_the_map_puts_each_setting_where_it_belongs(tmp_path: Path) -> None:
    runs = [made(tmp_path / f"{lr}-{seed}", lr_g=lr, seed=seed) for lr in (1e-2, 1e-3) for seed in (0, 1)]
    comparison = compare_runs(runs)
    across, up, found = cells(comparison, ("lr_g", "lr_d"))
    assert (across, up) == ([1e-3, 1e-2], [1e-3])
    assert {k: len(v) for k, v in found.items()} == {(1e-3, 1e-3): 2, (1e-2, 1e-3): 2}
    grid = table(comparison, ("lr_g", "lr_d"))
    assert grid["across"] == ["0.001", "0.01"]
    assert grid["rows"][0][1][0]["count"] == "2 of 2"
    panel = stability_map(comparison, ("lr_g", "lr_d"))
    assert sum(len(t["x"]) for t in panel.figure["data"]) == 2
    with pytest.raises(UsageError, match="did you mean 'lr_g'"):
        stability_map(comparison, ("lr_gg", "lr_d"))


def test_hostile_values_stay_text_in_a_comparison(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    runs = [made(tmp_path / "a", name=hostile), made(tmp_path / "b", name="b", recipe=hostile)]
    page = write_comparison(runs, tmp_path / "c.html", over=("recipe", "lr_d"), plotlyjs="directory").read_text(
        encoding="utf-8"
    )
    assert hostile not in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in comparison_markdown(compare_runs(runs))


def test_a_report_holds_its_baseline(tmp_path: Path) -> None:
    good, bad = made(tmp_path / "good", half=1), made(tmp_path / "bad", frechet=90, half=1, lr_g=0.5)
    page = write_report(bad, baseline=good, plotlyjs="directory").read_text(encoding="utf-8")
    assert "Against the baseline" in page
    assert "worse (by 80" in page
    assert 'id="panel-overlay-discriminator-loss"' in page


def test_one_run_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least two"):
        compare_runs([made(tmp_path / "a")])


def test_the_command_says_verdicts_and_writes_the_page(tmp_path: Path) -> None:
    runs = [str(made(tmp_path / "a")), str(made(tmp_path / "b", lr_g=0.1))]
    done = CliRunner().invoke(
        command, [*runs, "-o", str(tmp_path / "c.html"), "--plotlyjs", "directory", "--map", "lr_g,lr_d"]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "c.html").is_file()
    facts = json.loads(CliRunner().invoke(command, [*runs, "--json"]).stdout)
    assert facts["options"]["lr_g"] == ["0.001", "0.1"]
    assert {r["verdict"] for r in facts["runs"]} <= {str(v) for v in Overall}
    assert isinstance(CliRunner().invoke(command, [*runs, "--map", "lr_g"]).exception, UsageError)


def test_titles_are_written_as_the_field_writes_them_and_an_empty_option_is_none(tmp_path: Path) -> None:
    paths = [made_runs.healthy(tmp_path / name, steps=60, seed=seed) for seed, name in enumerate("ab")]
    for path, penalties in zip(paths, ([], ["r1"])):
        about = json.loads((path / "run.json").read_text())
        about["config"] = {**about["config"], "penalties": penalties}
        (path / "run.json").write_text(json.dumps(about))
    comparison = compare_runs(paths)
    assert dict(comparison.options)["penalties"] == ("none", "r1")
    titles = {d.panel.title for d in overlays(comparison)}
    assert {"Discriminator AUC", "Discriminator Wasserstein"} <= titles
