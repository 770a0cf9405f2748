"""Tests of the trace and the path: coordinates against the definition, and a way that is measured only from an earlier moment."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from gandiag import load_run
from gandiag.recording import Recorder
from gandiag.recording.game import losses_on_logits
from gandiag.recording.measure import WAY_POINTS, measure_game, measured_labels
from gandiag.recording.trace import _directions
from gandiag.training import Config, train


def test_the_trace_is_the_parameters_along_two_fixed_directions_each(tmp_path):
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(2, 2), nn.Linear(2, 1)
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in (generator, discriminator)]
    expected = []
    with Recorder(
        tmp_path / "run",
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        probes="full",
    ) as recorder:
        for _ in range(3):
            for optimizer in optimizers:
                optimizer.zero_grad()
                (discriminator(generator(torch.randn(4, 2))) ** 2).mean().backward()
                optimizer.step()
            recorder.step()
            flat = [torch.cat([p.detach().reshape(-1) for p in m.parameters()]) for m in (generator, discriminator)]
            planes = [
                torch.cat(_directions(tuple(p.numel() for p in m.parameters()), torch.device("cpu"), i), dim=1)
                for i, m in enumerate((generator, discriminator))
            ]
            expected.append(torch.cat([plane @ point for plane, point in zip(planes, flat)]).numpy())
    np.testing.assert_allclose(
        load_run(tmp_path / "run").layers("parameter_trace").to_numpy(), np.stack(expected), rtol=1e-5
    )


def test_the_path_needs_an_earlier_moment_and_ends_are_among_its_points():
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(2, 2), nn.Linear(2, 1)
    earlier = tuple({k: v + 0.1 for k, v in m.state_dict().items()} for m in (generator, discriminator))
    losses = losses_on_logits(
        lambda real, fake: softplus(-fake).mean(), lambda real, fake: (softplus(-real) + softplus(fake)).mean(), None
    )
    z, x = torch.randn(16, 2), torch.randn(16, 2)
    assert measure_game(generator, discriminator, *losses, z, x, parts=("path",)) == {}
    series = measure_game(generator, discriminator, *losses, z, x, parts=("path",), since=earlier)
    labels = measured_labels(generator, discriminator)["path_angle"]
    assert len(series["path_angle"]) == len(series["path_norm"]) == len(labels) == WAY_POINTS
    assert {"0.000", "1.000"} <= set(labels)


def test_a_run_measures_the_path_from_its_last_checkpoint(tmp_path):
    config = Config(
        data="ring:sd=0.05",
        steps=4,
        batch=32,
        generator_width=8,
        discriminator_width=8,
        evaluation_samples=64,
        measure=("path",),
        evaluate_every=2,
        checkpoint_every=2,
        best_by="auto",
    )
    run = load_run(train(config, out=tmp_path / "run").path)
    table = run.layers("path_angle")
    assert list(table.index) == [4]
    assert np.isfinite(table.to_numpy()).all()
    assert [r["protocol"]["path_from"] for r in run.records("evaluations") if "path_angle" in r["scores"]] == [2]
