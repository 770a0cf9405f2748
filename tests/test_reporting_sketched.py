"""Tests of the pictures that sketches of the batches make: the points that were recorded, in the plane in which the reals vary most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.quantities import SKETCHED
from gandiag.reporting.pictures import MISSING, gallery
from gandiag.reporting.sketched import FEWEST, STRETCHES, sketched
from gandiag.run import Run, RunWriter, load_run

STEPS = np.arange(0, 1000, 20)


def recorded(path: Path, real: np.ndarray, fake: np.ndarray) -> Run:
    """A run whose sketches are these points (steps, SKETCHED, d)."""
    columns = {
        "real_sketch": real.reshape(len(STEPS), -1).astype(np.float32),
        "fake_sketch": fake.reshape(len(STEPS), -1).astype(np.float32),
    }
    with RunWriter(path, {}) as writer:
        writer.append("every-20", STEPS, columns)
    return load_run(path)


def normal(d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(STEPS), SKETCHED, d))


def test_points_of_the_plane_are_shown_as_they_are(tmp_path: Path) -> None:
    real, fake = normal(2), normal(2, 1)
    found = sketched(recorded(tmp_path / "run", real, fake))
    assert found is not None
    assert found.as_they_are
    np.testing.assert_allclose(found.real, real.reshape(-1, 2), rtol=1e-6)
    assert len(found.fakes) == STRETCHES
    assert max(found.fakes) == STEPS[-1]
    np.testing.assert_allclose(np.concatenate([*found.fakes.values()]), fake.reshape(-1, 2), rtol=1e-6)


def test_the_plane_of_more_coordinates_is_that_in_which_the_reals_vary_most(tmp_path: Path) -> None:
    """Of standard deviations 5, 3 and .1 along turned axes the first two are seen, with all but 0.03 % of the variance."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    real = normal(3) * np.array([5, 3, 0.1]) @ turn.T + 7
    found = sketched(recorded(tmp_path / "run", real, real))
    assert found is not None
    assert not found.as_they_are
    spread = found.real.std(axis=0)
    np.testing.assert_allclose(spread, [5, 3], rtol=0.05)
    np.testing.assert_allclose(found.real.mean(axis=0), 0, atol=1e-3)
    assert "100%" in found.words


def test_rows_that_are_short_or_broken_lend_what_is_whole(tmp_path: Path) -> None:
    real, fake = normal(2), normal(2, 1)
    fake[:, 20:] = np.nan  # batches of twenty
    fake[0, 3, 1] = np.inf
    found = sketched(recorded(tmp_path / "run", real, fake))
    assert found is not None
    assert sum(map(len, found.fakes.values())) == 20 * len(STEPS) - 1


@pytest.mark.parametrize("d", [1, 2])
def test_one_coordinate_or_too_few_points_are_no_picture(tmp_path: Path, d: int) -> None:
    real = normal(d)
    if d == 2:
        real.reshape(-1, 2)[FEWEST - 1 :] = np.nan
    run = recorded(tmp_path / "run", real, normal(d))
    assert sketched(run) is None
    assert gallery(run).missing == MISSING


def test_the_page_shows_sketches_where_no_samples_were_kept(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run", normal(2), normal(2, 1) * 0.2)
    shown = gallery(run)
    assert shown.kind == "points"
    assert not shown.missing
    assert shown.real is not None
    assert len(shown.frames) == STRETCHES
    assert shown.frames[-1].words.startswith("128 generated samples up to step 980")
    assert "No samples were kept" in shown.note
    assert "record_samples" in shown.note


def test_samples_that_were_kept_go_before(tmp_path: Path) -> None:
    recorded(tmp_path / "run", normal(2), normal(2, 1))
    with RunWriter(tmp_path / "other", {}) as writer:
        writer.append("every-20", STEPS, {"real_sketch": normal(2).reshape(len(STEPS), -1).astype(np.float32)})
        writer.samples(0, {"points": np.zeros((9, 2), np.float32)})
    assert gallery(load_run(tmp_path / "other")).frames[0].words.startswith("9 generated samples at step 0")
