"""Tests of the decision field: known outputs at known places, and a training that it leaves as it is."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from gandiag import load_run
from gandiag.training import Config, train
from gandiag.training.decision_field import CELLS

SMALL = {
    "data": "ring:sd=0.05",
    "steps": 4,
    "batch": 32,
    "generator_width": 8,
    "discriminator_width": 8,
    "evaluation_samples": 64,
}


class Tilted(nn.Module):
    """A discriminator whose output is known everywhere: x + 10 y, with a batch normalisation that must not move."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.normal = nn.BatchNorm1d(2)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        self.normal(points)
        return self.scale * (points[:, :1] + 10 * points[:, 1:])


def tilted(sample_shape: object, latent_shape: object, **_: object) -> nn.Module:
    return Tilted()


def test_the_field_is_d_at_the_centre_of_each_cell(tmp_path):
    config = Config(
        **SMALL, discriminator="test_training_decision_field:tilted", lr_d=0.0, sample_every=4, measure=(), penalties=()
    )
    run = load_run(train(config, out=tmp_path / "run").path)
    batch = run.samples(4)
    field, (x0, x1, y0, y1) = batch["field"], batch["extent"]
    assert field.shape == (CELLS, CELLS)
    assert abs((x1 - x0) - (y1 - y0)) < 1e-5
    x = x0 + (np.arange(CELLS) + 0.5) * (x1 - x0) / CELLS
    y = y0 + (np.arange(CELLS) + 0.5) * (y1 - y0) / CELLS
    np.testing.assert_allclose(field, x[None, :] + 10 * y[:, None], atol=1e-4)  # rows go up, columns to the right
    assert max(x0, y0) < -1 < 1 < min(x1, y1)  # the ring of radius 1 lies inside


def test_the_field_changes_nothing_of_the_training(tmp_path, monkeypatch):
    weights = []
    for name in ("with", "without"):
        if name == "without":
            monkeypatch.setattr("gandiag.training.pause.decision_field", lambda training: {})
        config = Config(
            **SMALL, discriminator="test_training_decision_field:tilted", sample_every=1, measure=(), penalties=()
        )
        path = train(config, out=tmp_path / name).path
        weights.append((path / "checkpoints" / "step-000000004" / "discriminator.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_images_have_no_field(tmp_path):
    run = load_run(train(Config(**{**SMALL, "data": "digits"}, measure=()), out=tmp_path / "run").path)
    assert "field" not in run.samples(4)
