"""Every series that a step records, against a slow twin that computes it by its definition from the loop's own tensors, in double."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.quantities import LOGIT_BIN_LIMIT, LOGIT_BINS, QUANTILES, QUANTITIES
from gandiag.recording import Recorder
from gandiag.recording.filling import VERDICT_EVERY
from gandiag.recording.through import EVERY
from gandiag.run import load_run

STEPS, BATCH, UPDATES = 12, 16, 2
TIMES = {"wall_time", "step_seconds", "images_per_second", "probe_seconds"}  # what a clock says has no twin
OTHERWISE = {  # held to their own tests
    "parameter_trace",
    "real_batch_collision",
    "discriminator_stale_gradient_norm",
    "generator_stale_gradient_norm",
}
Twin = dict[str, float | list[float]]


def doubles(values: Tensor) -> np.ndarray:
    return (
        values.detach().double().numpy().reshape(len(values), -1) if values.dim() else values.detach().double().numpy()
    )


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def of_scores(real: np.ndarray, fake: np.ndarray) -> Twin:
    """D's outputs on reals and fakes."""
    found: Twin = {}
    edges = np.concatenate([[-np.inf], np.linspace(-LOGIT_BIN_LIMIT, LOGIT_BIN_LIMIT, LOGIT_BINS + 1), [np.inf]])
    for what, x in (("real", real), ("fake", fake)):
        found |= {f"{what}_logit_mean": x.mean(), f"{what}_logit_sd": x.std()}
        found |= {f"{what}_logit_q{q:02d}": float(np.percentile(x, q)) for q in QUANTILES}
        found[f"{what}_logit_histogram"] = np.histogram(x, edges)[0].tolist()
    pairs = real[:, None] - fake[None]
    grid = np.sort(np.concatenate([real, fake]))
    below = [np.searchsorted(np.sort(x), grid, side="right") / len(x) for x in (real, fake)]
    value = np.log(sigmoid(real)).mean() + np.log(sigmoid(-fake)).mean()
    chances, truth = sigmoid(np.concatenate([real, fake])), np.r_[np.ones(len(real)), np.zeros(len(fake))]
    tenth = np.minimum((chances * 10).astype(int), 9)
    return found | {
        "real_sign_mean": np.sign(real).mean(),
        "generator_saturation": sigmoid(fake).mean(),
        "discriminator_auc": ((pairs > 0) + 0.5 * (pairs == 0)).mean(),
        "discriminator_accuracy": (np.r_[real > 0, fake < 0]).mean(),
        "discriminator_ks": np.abs(below[0] - below[1]).max(),
        "discriminator_wasserstein": np.abs(np.sort(real) - np.sort(fake)).mean(),
        "value_function": value,
        "jensen_shannon_bound": max((value + math.log(4)) / 2, 0.0),
        "discriminator_calibration_error": sum(
            abs(chances[tenth == b].sum() - truth[tenth == b].sum()) for b in range(10)
        )
        / len(chances),
    }


def of_batch(what: str, batch: np.ndarray, before: np.ndarray | None) -> Twin:
    """A batch of points: their range, spread and diversity."""
    covariance = np.cov(batch.T, bias=True)
    distances = np.sqrt(((batch[:, None] - batch[None]) ** 2).sum(-1))
    found: Twin = {
        f"{what}_mean": batch.mean(),
        f"{what}_sd": batch.std(),
        f"{what}_min": batch.min(),
        f"{what}_max": batch.max(),
        f"{what}_channel_mean": batch.mean(0).tolist(),
        f"{what}_pairwise_distance": distances.sum() / (len(batch) * (len(batch) - 1)),
        f"{what}_effective_rank": np.trace(covariance) ** 2 / (covariance**2).sum(),
    }
    sketch = np.full((32, batch.shape[1]), np.nan)
    sketch[: len(batch[:32])] = batch[:32]
    found[f"{what}_sketch"] = sketch.flatten().tolist()
    if before is not None:
        found[f"{what}_batch_repeat"] = (batch == before).mean()
    if what == "real":
        squares = (batch - batch.mean()) ** 2
        found["real_peak_share"] = squares.max() / squares.sum()
        ways = torch.randn(32, 8, generator=torch.Generator().manual_seed(20_261)).numpy()[: batch.shape[1]] / 8**0.5
        along = batch @ ways
        found["real_centre"] = along.mean(0).tolist()
        found["real_centre_error"] = float(np.sqrt(along.var(0, ddof=1).mean() / len(batch)))
    return found


def of_both(real: np.ndarray, fake: np.ndarray) -> Twin:
    """How near the fakes lie to the reals."""
    across, own, other = (
        np.linalg.norm(a[:, None] - b[None], axis=-1) for a, b in ((fake, real), (real, real), (fake, fake))
    )
    unit = np.where(own > 0, own, np.inf).min(1).mean()
    apart = [[np.abs(a[:, None] - b[None]).sum() for a, b in ((x, y), (x, x), (y, y))] for x, y in zip(real.T, fake.T)]
    n = len(real)
    return {
        "marginal_energy": [1 - (x + y) / (n * (n - 1)) / (2 * xy / n**2) for xy, x, y in apart],
        "diversity_ratio": other.sum() / own.sum(),
        "energy_coefficient": 1 - (own.sum() + other.sum()) / (len(real) * (len(real) - 1)) / (2 * across.mean()),
        "shown_fake_energy": 1
        - 2
        * other.sum()
        / (len(real) * (len(real) - 1))
        / (2 * np.linalg.norm(fake[:, None] - fake[None], axis=-1).mean()),
        "fake_nearest_real": across.min(1).mean() / unit,
        "real_nearest_fake": across.min(0).mean() / unit,
    }


def norms(tensors: Sequence[Tensor]) -> list[float]:
    return [float(np.linalg.norm(t.detach().double().numpy())) for t in tensors]


def flat(tensors: Sequence[Tensor]) -> np.ndarray:
    return np.concatenate([t.detach().double().numpy().ravel() for t in tensors])


class Player:
    """One player's updates as its own loop sees them."""

    def __init__(self, who: str, net: nn.Module, rate: float) -> None:
        self.who, self.net, self.optimizer = who, net, torch.optim.Adam(net.parameters(), rate)
        self.gradient: np.ndarray | None = None
        self.norms: list[float] = []

    def update(self, loss: Tensor) -> Twin:
        """Steps, and returns what this update is to be recorded as."""
        parameters = list(self.net.parameters())
        self.optimizer.zero_grad()
        loss.backward()
        gradients = [p.grad for p in parameters if p.grad is not None]
        now, last = flat(gradients), self.gradient
        self.gradient = now.copy()
        self.norms.append(float(np.linalg.norm(now)))
        found: Twin = {
            f"{self.who}_layer_gradient_norm": norms(gradients),
            f"{self.who}_gradient_norm": self.norms[-1],
            f"{self.who}_gradient_norm_max": max(self.norms),
        }
        if last is not None:
            found[f"{self.who}_gradient_cosine"] = float(now @ last / np.linalg.norm(now) / np.linalg.norm(last))
        before = [p.detach().clone() for p in parameters]
        self.optimizer.step()
        changes = norms([p.detach().double() - b.double() for p, b in zip(parameters, before)])
        sizes = norms(parameters)
        return found | {
            f"{self.who}_layer_update_ratio": [c / s for c, s in zip(changes, sizes)],
            f"{self.who}_parameter_norm": math.hypot(*sizes),
            f"{self.who}_update_ratio": math.hypot(*changes) / math.hypot(*sizes),
        }


def pushes(who: str, what: str, gradient: Tensor) -> Twin:
    force = -gradient.double().numpy()
    return {f"{who}_force_on_{what}": force.sum(), f"{who}_force_size_on_{what}": np.abs(force).sum()}


def losses(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """A relativistic loss, in which G pushes reals too, and a penalty on large scores; each score keeps its gradient."""
    real.retain_grad()
    fake.retain_grad()
    return F.softplus(fake - real).mean(), 0.01 * (real.square().mean() + fake.square().mean())


def test_every_recorded_series_equals_its_twin(tmp_path: Path) -> None:
    torch.manual_seed(0)
    G = Player("generator", nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)), 1e-2)
    D = Player("discriminator", nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Flatten(0)), 2e-2)
    twins: list[Twin] = []
    batches: list[tuple[np.ndarray, np.ndarray]] = []
    seen = 0
    with Recorder(
        tmp_path / "run",
        generator=G.net,
        discriminator=D.net,
        generator_optimizer=G.optimizer,
        discriminator_optimizer=D.optimizer,
        probes="full",
    ) as recorder:
        for index in range(STEPS):
            twin: Twin = {"augmentation_probability": index / 100, "data_wait_seconds": index / 1000, "nonfinite": 0.0}
            D.norms, G.norms = [], []
            for _ in range(UPDATES):
                x = torch.randn(BATCH, 2) * 2 if index % 4 else torch.ones(BATCH, 2).index_fill(0, torch.arange(4), 2.0)
                fake = G.net(torch.randn(BATCH, 3))
                real_score, fake_score = D.net(x), D.net(fake.detach())
                d_loss, d_penalty = losses(real_score, fake_score)
                twin |= D.update(d_loss + d_penalty)
            assert real_score.grad is not None
            assert fake_score.grad is not None
            twin |= pushes("discriminator", "real", real_score.grad) | pushes("discriminator", "fake", fake_score.grad)
            fake.retain_grad()
            again, g_score = D.net(x), D.net(fake)
            g_loss, g_penalty = losses(g_score, again)
            twin |= G.update(g_loss + g_penalty)
            assert again.grad is not None
            assert g_score.grad is not None
            assert fake.grad is not None
            twin |= pushes("generator", "real", again.grad) | pushes("generator", "fake", g_score.grad)
            recorder.step(
                d_loss=d_loss,
                g_loss=g_loss,
                d_penalty=d_penalty,
                g_penalty=g_penalty,
                data_wait_seconds=index / 1000,
                augmentation_probability=index / 100,
            )
            seen += UPDATES * BATCH
            now = doubles(x), doubles(fake)
            before = batches[-1] if batches else (None, None)
            batches.append(now)
            real_batch, fake_batch = of_batch("real", now[0], before[0]), of_batch("fake", now[1], before[1])
            twins.append(
                twin
                | of_scores(doubles(real_score)[:, 0], doubles(fake_score)[:, 0])
                | real_batch
                | fake_batch
                | of_both(now[0], now[1])
                | {
                    "discriminator_loss": d_loss.item(),
                    "generator_loss": g_loss.item(),
                    "discriminator_penalty": d_penalty.item(),
                    "generator_penalty": g_penalty.item(),
                    "generator_gradient_at_logit": g_score.grad.double().norm().item(),
                    "generator_gradient_at_image": fake.grad.double().norm().item(),
                    "discriminator_learning_rate": 2e-2,
                    "generator_learning_rate": 1e-2,
                    "discriminator_updates": UPDATES,
                    "generator_updates": 1,
                    "images_seen": seen,
                }
                | ({} if index % EVERY else {"generator_game_share": 1.0})
                | ({} if index % VERDICT_EVERY else {"generator_turn_verdict": g_score.mean().item()})
            )
    run = load_run(tmp_path / "run")
    assert set(run.names) - TIMES - OTHERWISE == {name for twin in twins for name in twin}
    for name in set(run.names) - TIMES - OTHERWISE:
        there = [i for i, twin in enumerate(twins) if name in twin]
        series = run[name] if QUANTITIES[name].shape == "scalar" else run.layers(name)
        assert series.index.to_list() == there, name
        expected = np.array([twins[i][name] for i in there], dtype=np.float64)
        np.testing.assert_allclose(series.to_numpy(), expected, rtol=2e-4, atol=2e-6, err_msg=name)


def test_what_a_clock_says_is_recorded_and_adds_up(tmp_path: Path) -> None:
    torch.manual_seed(0)
    G = Player("generator", nn.Linear(3, 2), 1e-2)
    D = Player("discriminator", nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)), 1e-2)
    with Recorder(
        tmp_path / "run",
        generator=G.net,
        discriminator=D.net,
        generator_optimizer=G.optimizer,
        discriminator_optimizer=D.optimizer,
    ) as recorder:
        for _ in range(201):
            fake = G.net(torch.randn(BATCH, 3))
            D.update(F.softplus(-D.net(torch.randn(BATCH, 2))).mean() + F.softplus(D.net(fake.detach())).mean())
            G.update(F.softplus(-D.net(fake)).mean())
            recorder.step()
    run = load_run(tmp_path / "run")
    seconds, wall = run["step_seconds"], run["wall_time"]
    assert seconds.index.to_list() == list(range(1, 201))
    np.testing.assert_allclose(np.diff(wall), seconds, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(run["images_per_second"], BATCH / seconds, rtol=1e-3)
    costs = run.layers("probe_seconds")
    assert costs.index.to_list() == [100, 200]
    assert {"real_outputs", "discriminator_gradient_norms", "fake_batch", "update_ratios"} <= set(costs.columns)
    assert float(costs.to_numpy().sum()) < float(wall.iloc[-1])
    assert (costs.loc[100] >= 0).all()
    assert costs.loc[100].max() > 0


@pytest.mark.parametrize("ends_in", ["logit", "sigmoid"])
def test_a_penalty_on_the_very_call_that_the_loss_reads(tmp_path: Path, ends_in: str) -> None:
    """R1 through a logit leaves the force on the score as it is; through a sigmoid it adds to it, which is said."""
    torch.manual_seed(0)
    last: list[nn.Module] = [nn.Sigmoid()] if ends_in == "sigmoid" else []
    G, D = nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), *last)
    g_opt, d_opt = (torch.optim.SGD(m.parameters(), 1e-2) for m in (G, D))
    expected = []
    with Recorder(
        tmp_path / "run",
        generator=G,
        discriminator=D,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        discriminator_output="logit" if ends_in == "logit" else "probability",
        automatic=True,
    ):
        for _ in range(4):
            fake, x = G(torch.randn(BATCH, 3)), torch.randn(BATCH, 2, requires_grad=True)
            real_score, fake_score = D(x), D(fake.detach())
            bce = F.binary_cross_entropy_with_logits if ends_in == "logit" else F.binary_cross_entropy
            loss = bce(real_score, torch.ones_like(real_score)) + bce(fake_score, torch.zeros_like(fake_score))
            (slope,) = torch.autograd.grad(real_score.sum(), x, create_graph=True)
            d_opt.zero_grad()
            (loss + 5 * slope.square().sum(1).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            score = D(fake)
            bce(score, torch.ones_like(score)).backward()
            g_opt.step()
            p = real_score.detach() if ends_in == "sigmoid" else torch.sigmoid(real_score.detach())
            expected.append((1 - p).mean().item())
    run = load_run(tmp_path / "run")
    assert any("the penalty's push" in told for told in run.about["could_not_tell"]) == (ends_in == "sigmoid")
    assert len(run["discriminator_force_on_real"]) == 4
    if ends_in == "logit":
        assert run["discriminator_force_on_real"].to_list() == pytest.approx(expected, rel=1e-4)
    assert run["real_logit_mean"].notna().all()
