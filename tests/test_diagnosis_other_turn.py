"""A discriminator that is another function in the generator's turn: seen by its verdict there, and named where the fakes are no reals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import gandiag
from gandiag.diagnosis import Verdict, diagnose
from gandiag.recording.filling import VERDICT_EVERY
from tests.made_runs import made
from tests.test_diagnosis_nearness import BARE, TENS, noise

STEPS = 400


def play(path: Path, how: str) -> tuple[gandiag.RunData, dict[int, float]]:
    """Trains a batch-normalised D on reals and fakes, joined or apart; returns the run, and the mean verdict of each tenth G turn."""
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))
    D = nn.Sequential(nn.Linear(2, 24), nn.BatchNorm1d(24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-4), torch.optim.Adam(D.parameters(), 5e-3)
    expected = {}

    def judged(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        if how != "joined":
            return D(real), D(fake)
        both = D(torch.cat([real, fake]))
        return both[: len(real)], both[len(real) :]

    with gandiag.Recorder(
        path, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for step in range(STEPS):
            real, fake = torch.randn(64, 2) * 0.2 + 3, G(torch.randn(64, 4))
            on_real, on_fake = judged(real, fake.detach())
            d_opt.zero_grad()
            (softplus(-on_real).mean() + softplus(on_fake).mean()).backward()
            d_opt.step()
            verdict = D(fake)
            if not step % VERDICT_EVERY:
                expected[step] = float(verdict.detach().mean())
            g_opt.zero_grad()
            softplus(-verdict).mean().backward()
            g_opt.step()
            recorder.step(real_logits=on_real, fake_logits=on_fake, real=real, fake=fake)
    return gandiag.load_run(path), expected


@pytest.mark.parametrize("how", ["joined", "apart"])
def test_batch_statistics_of_both_batches_make_another_discriminator(tmp_path: Path, how: str) -> None:
    run, expected = play(tmp_path / "run", how)
    told = run["generator_turn_verdict"].dropna()
    assert told.index.to_list() == list(expected)
    assert told.to_list() == pytest.approx(list(expected.values()), abs=1e-5)
    way = (told - run["fake_logit_mean"]) / (run["real_logit_mean"] - run["fake_logit_mean"])
    assert (float(way.dropna().iloc[-10:].median()) > 0.3) is (how == "joined")


@pytest.mark.parametrize(
    ("verdict", "energy", "fails"),
    [(1.0, 0.4, True), (1.0, 0.02, False), (-3.0, 0.4, False)],
    ids=["another", "to no harm", "the same"],
)
def test_it_is_named_where_the_fakes_are_no_reals(tmp_path: Path, verdict: float, energy: float, fails: bool) -> None:
    columns = {
        "real_logit_mean": np.full(1000, 2.0),
        "fake_logit_mean": np.full(1000, -3.0),
        "real_logit_sd": np.full(1000, 0.5),
        "fake_logit_sd": np.full(1000, 0.5),
    }
    slow = {"generator_turn_verdict": np.full(TENS, verdict), "energy_coefficient": energy + noise(0.01)}
    finding = diagnose(made(tmp_path / "run", steps=1000, columns=columns, slow=slow, without=BARE)).finding(
        "objective_fault"
    )
    assert (finding.kind == "another discriminator") is fails
    assert not fails or (finding.verdict is Verdict.FAILED and "80% of the way" in finding.claim)
