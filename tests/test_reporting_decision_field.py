"""Tests of the decision field on the page: known colours at known places, words that are true, and silence where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandiag.reporting.decision_field import ABSENT, FAKE, REAL, as_pixels, read_field
from gandiag.reporting.pictures import gallery
from gandiag.run import RunWriter, load_run

EXTENT = np.array([-2.0, 2.0, -1.0, 3.0], dtype=np.float32)
LOGITS = np.array([[-50.0, -50.0], [50.0, 0.0]], dtype=np.float32)  # the lower row is fake; the upper real, and unsure


def batch(field: np.ndarray) -> dict[str, np.ndarray]:
    return {"points": np.zeros((4, 2), np.float32), "field": field, "extent": EXTENT}


def test_the_upper_row_is_drawn_first_and_an_unsure_place_is_clear() -> None:
    field = read_field(batch(LOGITS), {})
    assert field is not None
    pixels = as_pixels(field)
    assert tuple(pixels[0, 0, :3]) == REAL
    assert tuple(pixels[1, 0, :3]) == FAKE
    assert pixels[0, 1, 3] == 0
    assert pixels[0, 0, 3] == pixels[1, 0, 3] > 0
    assert "real (25 % of the window)" in field.words


def test_probabilities_are_taken_as_they_are() -> None:
    about = {"players": {"discriminator": {"output": "probability"}}}
    field = read_field(batch(np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)), about)
    assert field is not None
    np.testing.assert_allclose(field.leaning, [[-1, -0.5], [0, 1]])


def test_a_loss_without_a_sign_is_read_against_its_mean() -> None:
    one = read_field(batch(LOGITS), {"loss": "wasserstein"})
    other = read_field(batch(LOGITS + 1000), {"loss": "wasserstein"})
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.leaning, other.leaning, atol=1e-6)
    assert "mean over the window" in one.words


@pytest.mark.parametrize(
    "field", [np.zeros(4, np.float32), np.full((2, 2), np.nan, np.float32), np.zeros((0, 2), np.float32)]
)
def test_what_is_no_field_is_not_drawn(field: np.ndarray) -> None:
    assert read_field(batch(field), {}) is None


def test_the_page_draws_the_field_under_the_fakes_or_says_that_there_is_none(tmp_path: Path) -> None:
    for name, kept in (("with", batch(LOGITS)), ("without", {"points": np.zeros((4, 2), np.float32)})):
        with RunWriter(tmp_path / name, {}) as writer:
            writer.append("every-1", np.arange(3), {"discriminator_loss": np.ones(3)})
            writer.samples(2, kept)
    drawn, bare = gallery(load_run(tmp_path / "with")), gallery(load_run(tmp_path / "without"))
    assert '<image class="field"' in drawn.frames[0].markup
    assert drawn.note == ""
    assert "<image" not in bare.frames[0].markup
    assert bare.note == ABSENT
