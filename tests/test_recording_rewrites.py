"""Weights that something else than the optimizer writes to: seen by their versions, or by leaps that Adam cannot make; lent ones are no fault."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandiag
from gandiag.diagnosis import Verdict
from gandiag.recording.rewrites import _leaps
from tests.made_runs import made
from tests.test_diagnosis_nearness import BARE, TENS, noise

STEPS = 120


def record(path: Path, way: str) -> gandiag.RunData:
    """Trains 120 steps; now and then something is done to the generator's weights after its update."""
    often = 24 if way == "by .data" else 8
    torch.manual_seed(0)
    G, D = (nn.Sequential(nn.Linear(n, 24), nn.ReLU(), nn.Linear(24, k)) for n, k in ((4, 2), (2, 1)))
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
    kept = copy.deepcopy(G.state_dict())
    with gandiag.Recorder(
        path, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True
    ):
        for step in range(STEPS):
            real, fake = torch.randn(32, 2), G(torch.randn(32, 4))
            d_opt.zero_grad()
            (softplus(-D(real)).mean() + softplus(D(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-D(fake)).mean().backward()
            g_opt.step()
            if step % often != 5:
                continue
            own = copy.deepcopy(G.state_dict())
            if way in ("rolled back", "lent"):
                G.load_state_dict(kept)
            if way == "lent":  # to an evaluation
                G(torch.randn(8, 4))
                G.load_state_dict(own)
            if way == "by .data":
                for name, weight in G.named_parameters():
                    weight.data.copy_(kept[name])
    return gandiag.load_run(path)


@pytest.mark.parametrize("way", ["alone", "lent", "rolled back", "by .data"])
def test_writes_beside_the_optimizer_are_seen(tmp_path: Path, way: str) -> None:
    told = record(tmp_path / "run", way).about.get("rewritten")
    if way == "alone":
        assert told is None
        return
    assert told["updates"] == STEPS - 1
    if way == "by .data":  # no version tells of it
        assert told["written"] == 0
        assert told["leaps"] == 4  # the first goes back a little way only
        return
    assert told["written"] == STEPS // 8
    assert (told["first"], told["last"]) == (6, 118)  # seen as the next update begins
    assert (told["moved"] > 3) is (way == "rolled back")


@pytest.mark.parametrize(
    ("told", "energy", "fails"),
    [
        ({"written": 40, "moved": 9.0}, 0.4, True),
        ({"written": 40, "moved": 9.0}, 0.02, False),
        ({"written": 40, "moved": 1.1}, 0.4, False),
        ({"leaps": 15}, 0.4, True),
        ({"written": "many"}, 0.4, False),
    ],
    ids=["rolled back", "to no harm", "lent", "leaps", "damaged"],
)
def test_they_are_a_fault_where_the_fakes_are_no_reals(
    tmp_path: Path, told: dict[str, object], energy: float, fails: bool
) -> None:
    facts = {
        "rewritten": {"updates": 999, "written": 0, "first": 80, "last": 900, "moved": 0.0, "looks": 500, "leaps": 0}
        | told
    }
    slow = {"energy_coefficient": energy + noise(0.01), "real_pairwise_distance": np.ones(TENS)}
    path = made(tmp_path / "run", steps=1000, slow=slow, without=BARE, facts=facts)
    finding = gandiag.diagnose(path).finding("objective_fault")
    assert (finding.kind == "generator put back") is fails
    assert not fails or (finding.verdict, finding.onset) == (Verdict.FAILED, 80)


def test_bursts_of_a_network_whose_gradients_come_and_go_are_no_leaps() -> None:
    steady, burst = [0.012, 0.011, 0.010], [0.003, 0.0002, 0.0007]
    assert _leaps(torch.tensor([*steady, 0.2, *steady] * 3)) == 3
    assert _leaps(torch.tensor([*burst, 0.14, *burst] * 3)) == 0
    assert _leaps(torch.tensor([0.1 * 0.5**i for i in range(40)])) == 0
    assert _leaps(torch.tensor(steady)) == 0


def test_updates_of_the_generators_own_optimizer_outside_the_game_are_no_writes_of_another(tmp_path: Path) -> None:
    """Every fourth step a penalty on G alone, as a path length's is, by gradients far above the game's: what Adam makes of those is small."""
    torch.manual_seed(0)
    G, D = (nn.Sequential(nn.Linear(n, 24), nn.ReLU(), nn.Linear(24, k)) for n, k in ((4, 2), (2, 1)))
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3, (0.0, 0.99)), torch.optim.Adam(D.parameters(), 1e-5)
    with gandiag.Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for step in range(400):
            fake = G(torch.randn(32, 4))
            d_opt.zero_grad()
            (softplus(-D(torch.randn(32, 2) + 9)).mean() + softplus(D(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-D(fake)).mean().backward()
            g_opt.step()
            if step % 4 == 0:
                g_opt.zero_grad()
                (1e3 * (G(torch.randn(32, 4)).norm(dim=1) - 1).square().mean()).backward()
                g_opt.step()
    run = gandiag.load_run(tmp_path / "run")
    assert run.about.get("rewritten") is None
    finding = gandiag.diagnose(run).finding("objective_fault")
    assert "put back" not in finding.kind, finding.claim
