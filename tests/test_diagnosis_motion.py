"""Motion: Dirac-GANs recorded in somebody's loop get the verdict of theory, and so do traces and eigenvalues that were recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gandiag.diagnosis import Diagnosis, Verdict, diagnose
from gandiag.diagnosis.clock import thinned
from gandiag.diagnosis.tracing import recurrence
from gandiag.recording import Recorder
from gandiag.run import RunWriter, load_run
from tests.made_runs import made

STEPS = 500


class Point(nn.Module):
    """G gives one point."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(1.0))

    def forward(self, z: Tensor) -> Tensor:
        return self.theta.expand(len(z), 1)


class Slope(nn.Module):
    """D(x) = psi x."""

    def __init__(self) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.psi * x


def dirac(
    path: Path,
    *,
    non_saturating: bool = False,
    alternating: bool = False,
    gamma: float = 0.0,
    step: float = 0.2,
    start: tuple[float, float] = (1.0, 1.0),
    steps: int = STEPS,
    clip: float = float("inf"),
    critic: bool = False,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
) -> Diagnosis:
    """Plays the Dirac-GAN of ground truth, records it with the default probes, and judges the run."""
    g, d = Point(), Slope()
    torch.nn.init.constant_(g.theta, start[0])
    torch.nn.init.constant_(d.psi, start[1])
    players = [optimizer(m.parameters(), lr=step) for m in (g, d)]
    z, x = torch.zeros(4, 1), torch.zeros(4, 1)
    with Recorder(
        path, generator=g, discriminator=d, generator_optimizer=players[0], discriminator_optimizer=players[1]
    ) as recorder:
        for _ in range(steps):
            for player in players:
                player.zero_grad()
            fake = g(z)
            score = d(fake)
            g_loss = softplus(-score).mean() if non_saturating else -softplus(score).mean()
            g_loss = -score.mean() if critic else g_loss
            g_loss.backward()
            move = g.theta.grad.clone()
            if alternating:
                players[0].step()
            players[1].zero_grad()
            on_fake, on_real = d(g(z).detach()), d(x)
            d_loss = (softplus(on_fake) + softplus(-on_real)).mean()
            d_loss = (on_fake - on_real).mean() if critic else d_loss
            (d_loss + gamma / 2 * d.psi**2).backward()
            players[1].step()
            if not alternating:
                g.theta.grad = move
                players[0].step()
            d.psi.data.clamp_(-clip, clip)
            recorder.step(
                real_logits=on_real, fake_logits=on_fake, d_loss=d_loss, g_loss=g_loss, real=x, fake=fake.detach()
            )
    return diagnose(path)


def test_unregularised_simultaneous_steps_diverge(tmp_path: Path) -> None:
    told = dirac(tmp_path / "run", non_saturating=False, alternating=False)
    assert told.finding("oscillation").kind == "diverging"
    assert told.verdict == "unstable"


def test_unregularised_alternating_steps_keep_their_orbit_with_its_period(tmp_path: Path) -> None:
    # ground truth's (1, 1): its psi has the other sign
    finding = dirac(tmp_path / "run", alternating=True, start=(1.0, -1.0)).finding("oscillation")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "neutral cycle")
    assert period(finding.claim) == pytest.approx(70.7, abs=0.2)


def period(claim: str) -> float:
    return float(claim.split("one turn in ")[1].split(" ")[0])


@pytest.mark.parametrize(
    ("game", "kind", "turn"),
    [
        # 15.7 steps a turn by the exact eigenvalues: rows ten steps apart would not show it
        ({"critic": True, "alternating": True, "step": 0.4, "start": (0.3, 0.2)}, "neutral cycle", 2 * np.pi / (2 * np.arcsin(0.2))),
        # counted on the map itself: ground truth, h = 0.2, from either start
        ({"critic": True, "clip": 1.0, "start": (2.0, 0.5)}, "limit cycle", 33.0),
        ({"critic": True, "clip": 1.0, "start": (0.3, 0.3)}, "limit cycle", 33.0),
        # from within its amplitude still grows at the end
        ({"non_saturating": True, "step": 0.1, "start": (0.1, 0.1), "steps": 3000}, "limit cycle", 125.7),
        # an orbit that drifts by 0.3 % over all turns was not drawn to its last one
        ({"alternating": True, "step": 0.3, "start": (1.2, 0.4), "steps": 1000}, "neutral cycle", 46.0),
    ],
)  # fmt: skip
def test_fast_and_slow_cycles_are_told_with_their_period(game: dict, kind: str, turn: float, tmp_path: Path) -> None:
    finding = dirac(tmp_path / "run", **game).finding("oscillation")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, kind)
    assert period(finding.claim) == pytest.approx(turn, rel=0.01)


def test_a_steady_rate_of_growth_is_told_exactly(tmp_path: Path) -> None:
    finding = dirac(tmp_path / "run", critic=True, step=0.1, start=(0.3, 0.2)).finding("oscillation")
    assert (finding.kind, "amplitude times 1.00499 a step" in finding.claim) == ("diverging", True)


def test_a_long_fast_game_is_read_off_rows_that_are_close_enough(tmp_path: Path) -> None:
    angle = 2 * np.pi * np.arange(60_000) / 7.3
    shrinking = 0.9998 ** np.arange(60_000)[:, None] * np.stack(
        [np.cos(angle), 0 * angle, np.sin(angle), 0 * angle], axis=1
    )
    assert period(traced(tmp_path / "run", shrinking).finding("oscillation").claim) == pytest.approx(7.3, abs=0.1)


def test_the_non_saturating_loss_has_a_limit_cycle_of_radius_root_two_h(tmp_path: Path) -> None:
    finding = dirac(tmp_path / "run", non_saturating=True, alternating=False).finding("oscillation")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "limit cycle")
    radius = float(finding.claim.split("the amplitude ")[1].split(" ")[0]) if "heads" in finding.claim else float(
        finding.claim.split("amplitude ")[-1].split(",")[0].split(" ")[0])  # fmt: skip
    assert radius == pytest.approx(np.sqrt(0.4), rel=0.01)


@pytest.mark.parametrize("alternating", [True, False])
def test_a_zero_centred_penalty_converges_with_its_rate(alternating: bool, tmp_path: Path) -> None:
    told = dirac(tmp_path / "run", non_saturating=False, alternating=alternating, gamma=0.3)
    finding = told.finding("oscillation")
    assert (finding.verdict, finding.kind) == (Verdict.HEALTHY, "converging")
    rate = float(finding.claim.split("amplitude times ")[1].split(" ")[0])
    step, gamma = 0.2, 0.3
    theory = (
        np.sqrt(1 - step * gamma)
        if alternating
        else abs(1 + step * (-gamma / 2 + np.sqrt(complex(gamma**2 / 4 - 0.25))))
    )
    assert rate == pytest.approx(theory, rel=0.002)
    assert told.verdict == "stable"


def test_a_game_that_is_nearer_than_it_began_has_not_diverged(tmp_path: Path) -> None:
    """Under Adagrad the rates fall and the turns slow down: on its way round the point comes nearer, and goes off again for a while."""
    told = dirac(
        tmp_path / "run", alternating=True, non_saturating=True, step=0.05, steps=1000, optimizer=torch.optim.Adagrad
    )
    assert told.finding("oscillation").kind != "diverging", told.story


def test_a_discriminator_whose_reals_and_fakes_are_one_point_is_not_dead(tmp_path: Path) -> None:
    told = dirac(
        tmp_path / "run",
        alternating=True,
        non_saturating=True,
        gamma=1.0,
        step=1.0,
        steps=1000,
        optimizer=torch.optim.Adadelta,
    )
    assert told.finding("dead_layers").verdict is not Verdict.FAILED, told.story


def test_a_game_that_comes_to_rest_has_no_vanishing_gradient(tmp_path: Path) -> None:
    told = dirac(tmp_path / "run", non_saturating=True, alternating=True, gamma=1.0)
    assert not told.illnesses, told.story


def traced(path: Path, points: np.ndarray, **about: object) -> Diagnosis:
    """Judges a tiny game whose whole trace was recorded."""
    facts = {"players": {"generator": {"parameters": 2}, "discriminator": {"parameters": 2}}, **about}
    with RunWriter(path, facts) as writer:
        steps = np.arange(len(points))
        columns = {
            "parameter_trace": points,
            "discriminator_loss": np.ones(len(points)),
            "real_sd": np.zeros(len(points)),
            "fake_sd": np.zeros(len(points)),
        }
        writer.append(
            "every-1",
            steps,
            columns,
            labels={"parameter_trace": ["generator x", "generator y", "discriminator x", "discriminator y"]},
        )
    return diagnose(path)


def test_a_recorded_trace_is_read_to_its_period_and_rate(tmp_path: Path) -> None:
    angle = 2 * np.pi * np.arange(800) / 40
    turn = np.stack([np.cos(angle), np.sin(angle), np.sin(angle), -np.cos(angle)], axis=1)
    shrinking = traced(tmp_path / "shrinking", turn * 0.99 ** np.arange(800)[:, None]).finding("oscillation")
    assert shrinking.kind == "converging"
    assert "one turn in 40.0 steps" in shrinking.claim
    assert "amplitude times 0.99 " in shrinking.claim
    growing = traced(tmp_path / "growing", turn * 1.01 ** np.arange(800)[:, None]).finding("oscillation")
    assert (growing.verdict, growing.kind) == (Verdict.FAILED, "diverging")


def settled_run(path: Path, rightmost: float, hessian: float) -> str:
    """The kind that `convergence` gives a run that has settled, by the eigenvalues that were recorded."""
    made(path, steps=600, scores=lambda s: {"frechet_distance[digits-cnn]": 20.0})
    with RunWriter(path, {}, resume_at=600) as writer:
        step, labels = np.array([599]), {"game_eigenvalues_real": ["1", "2"], "game_eigenvalues_imaginary": ["1", "2"]}
        writer.append(
            "game",
            step,
            {
                "game_eigenvalues_real": np.array([[rightmost, -1.0]]),
                "game_eigenvalues_imaginary": np.array([[2.0, 0.0]]),
            },
            labels=labels,
        )
        writer.append(
            "hessians",
            step,
            {"generator_hessian_min": np.array([hessian]), "discriminator_hessian_min": np.array([0.1])},
        )
        writer.close()
    return diagnose(path).finding("convergence").kind


def test_a_stable_point_that_is_no_nash_equilibrium_is_told_from_one(tmp_path: Path) -> None:
    assert settled_run(tmp_path / "nash", -0.5, 0.2) == "Nash"
    assert settled_run(tmp_path / "not-nash", -0.5, -0.2) == "stable, not Nash"
    assert settled_run(tmp_path / "unstable", 0.5, 0.2) == "not at rest"


@pytest.mark.parametrize(("last", "kind"), [(1e-4, "Nash"), (0.9, "settled")])
def test_eigenvalues_speak_of_an_equilibrium_only_where_the_game_stands_still(
    tmp_path: Path, last: float, kind: str
) -> None:
    from gandiag.diagnosis.evidence import evidence
    from gandiag.diagnosis.progress import _local

    steps = np.arange(0, 1000, 100)
    with RunWriter(tmp_path / "run", {}) as writer:
        columns = {
            "game_eigenvalues_real": np.full((10, 2), -0.5),
            "game_eigenvalues_imaginary": np.zeros((10, 2)),
            "generator_hessian_min": np.full(10, 0.1),
            "discriminator_hessian_min": np.full(10, 0.1),
            "game_field_norm": np.linspace(1.0, last, 10) ** (1 if last > 0.5 else 4),
        }
        labels = {name: ["0", "1"] for name in ("game_eigenvalues_real", "game_eigenvalues_imaginary")}
        writer.append("every-100", steps, columns, labels=labels)
    assert _local(evidence(load_run(tmp_path / "run")))[0] == kind


@pytest.mark.parametrize("columns", [2, 3, 40])
@pytest.mark.parametrize("lost", [1, 30, 190])
def test_a_trace_that_ends_in_nan_is_thinned_as_far_as_it_goes(columns: int, lost: int) -> None:
    points = np.cumsum(np.random.default_rng(0).normal(size=(200, columns)), axis=0)
    points[-lost:] = np.nan
    rows, steps = thinned(points, np.arange(200))
    assert len(rows) == len(steps) == 200


def drawn(
    path: Path, swing: float, noise: float, turns: float, *, walk: bool = False, fades: bool = False, **about: object
) -> Diagnosis:
    """Judges a game whose fakes' mean goes round that of the reals, seen through the noise of small batches."""
    at, rng = np.arange(150), np.random.default_rng(5)
    angle = 2 * np.pi * turns * at / len(at)
    way = swing * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if walk:
        way = rng.standard_normal((150, 2)).cumsum(0)
        way *= swing / np.abs(way).max()
    if fades:  # in the last third
        way[100:] *= 0.1
    flat = {"real_min": -4.0, "real_max": 4.0, "fake_min": -4.0, "fake_max": 4.0, "real_sd": 1.0, "fake_sd": 1.0}
    with RunWriter(path, dict(about)) as writer:
        columns: dict[str, np.ndarray] = {k: np.full(150, v) for k, v in flat.items()}
        columns |= {"fake_channel_mean": way + noise * rng.standard_normal((150, 2))}
        columns |= {"real_channel_mean": noise * rng.standard_normal((150, 2))}
        labels = {k: ["0", "1"] for k in ("fake_channel_mean", "real_channel_mean")}
        writer.append("every-10", 10 * at, columns, labels=labels)
    return diagnose(path)


@pytest.mark.parametrize(
    ("swing", "turns", "walk", "ill"),
    [(0.8, 6.0, False, True), (0.8, 1.5, False, False), (0.3, 6.0, False, False), (0.8, 6.0, True, False)],
    ids=["cycle", "too few turns", "small", "a walk"],
)
def test_a_cycle_is_seen_through_the_noise_of_small_batches(
    swing: float, turns: float, walk: bool, ill: bool, tmp_path: Path
) -> None:
    finding = drawn(tmp_path / "run", swing, 0.4, turns, walk=walk).finding("oscillation")
    assert (finding.verdict is Verdict.FAILED) is ill, finding.claim
    if ill:
        told = float(finding.claim.split("every ")[1].split(" ")[0])
        assert told == pytest.approx(1500 / turns, rel=0.1)


def test_a_cycle_that_has_died_away_is_none_and_one_of_which_an_average_is_kept_is_suspected(tmp_path: Path) -> None:
    assert drawn(tmp_path / "lasts", 1.2, 0.2, 9.0).finding("oscillation").verdict is Verdict.FAILED
    assert drawn(tmp_path / "fades", 1.2, 0.2, 9.0, fades=True).finding("oscillation").verdict is Verdict.HEALTHY
    kept = drawn(tmp_path / "kept", 1.2, 0.2, 9.0, keeps_average=True).finding("oscillation")
    assert kept.verdict is Verdict.SUSPECT
    assert "moving average" in kept.claim


def by_chance(kind: str, columns: int, rng: np.random.Generator) -> np.ndarray:
    """140 rows that no law brings back: a walk, an autoregression, hops among eight places on a ring, plain noise."""
    steps = rng.standard_normal((140, columns))
    if kind == "hops":
        angle = np.repeat(2 * np.pi * rng.integers(0, 8, 20) / 8, 7)[:, None]
        return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)[:, :columns] + 0.1 * steps
    keeps = {"noise": 0.0, "walk": 1.0}.get(kind)
    found = np.zeros_like(steps)
    for i in range(140):
        found[i] = (float(kind) if keeps is None else keeps) * found[i - 1] * (i > 0) + steps[i]
    return found


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("kind", ["noise", "walk", "0.9", "0.97", "hops"])
def test_no_cycle_of_three_turns_is_read_out_of_chance(kind: str, columns: int) -> None:
    rng = np.random.default_rng(6)
    periods = [recurrence(by_chance(kind, columns, rng)) for _ in range(400)]
    share = np.mean([period is not None and 140 / period >= 3 for period in periods])
    assert share <= (0.05 if kind == "hops" and columns == 1 else 0.02), share


def test_a_recurrence_is_the_period_and_nothing_is_read_out_of_nothing() -> None:
    assert recurrence(np.zeros((50, 2))) is None
    assert recurrence(np.full((50, 2), np.nan)) is None
    assert recurrence(np.sin(np.arange(8))[:, None]) is None
    assert recurrence(np.sin(2 * np.pi * np.arange(100) / 20)[:, None]) == 20
