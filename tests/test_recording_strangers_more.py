"""Released trainings in small: each is recorded by attach as its own loop computes it, and ends with the weights of a training left alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Optimizer

import gandiag
from gandiag.recording.attachment import Attachment, attach

BATCH, STEPS = 8, 8
Told = dict[str, Any]  # of one update of the generator, and of the discriminator's updates before it
Nets = dict[str, nn.Module]
Loop = Callable[[Nets], Iterator[Told]]


def mlp(*widths: int) -> nn.Sequential:
    layers = [layer for a, b in itertools.pairwise(widths) for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1])


def adam(*nets: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam([p for net in nets for p in net.parameters()], 1e-3)


def points() -> Tensor:
    return torch.randn(BATCH, 2) * 0.5 + 1.5


def z() -> Tensor:
    return torch.randn(BATCH, 3)


def held(*optimizers: Optimizer) -> dict[int, float]:
    """The squared norms of the gradients that the optimizers are about to use, by parameter."""
    owned = [p for one in optimizers for group in one.param_groups for p in group["params"]]
    return {id(p): float(p.grad.double().square().sum()) for p in owned if p.grad is not None}


def mean(scores: Any) -> float:
    """The mean of all verdicts, of several scales or batches as well."""
    maps = scores if isinstance(scores, (list, tuple)) else [scores]
    return float(torch.cat([m.detach().flatten() for m in maps]).mean())


def told(real: Any, fake: Any, judged: Any, d: dict[int, float], g: dict[int, float]) -> Told:
    return {"real": mean(real), "fake": mean(fake), "judged": mean(judged), "d": d, "g": g}


def d_loss_of(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def g_update(optimizer: Optimizer, loss: Tensor, *others: Optimizer) -> dict[int, float]:
    """One update, of several optimizers together; returns the gradients that it was made by."""
    for one in (optimizer, *others):
        one.zero_grad()
    loss.backward()
    found = held(optimizer, *others)
    for one in (optimizer, *others):
        one.step()
    return found


# ------------------------------------------------------------------------------------------------------------ how losses are sent back


def by_closures(nets: Nets) -> Iterator[Told]:
    """LBFGS evaluates the generator's loss several times within one update; what counts is the last time."""
    g, d = nets["g"], nets["d"] = mlp(3, 8, 2), mlp(2, 8, 1)
    g_opt, d_opt = torch.optim.LBFGS(g.parameters(), 0.01, max_iter=2), adam(d)
    for _ in range(STEPS):
        real, noise, found = points(), z(), {}

        def of_d(real: Tensor = real, noise: Tensor = noise, found: Told = found) -> Tensor:
            d_opt.zero_grad()
            found["real"], found["fake"] = d(real), d(g(noise).detach())
            loss = d_loss_of(found["real"], found["fake"])
            loss.backward()
            found["d"] = held(d_opt)
            return loss

        def of_g(noise: Tensor = noise, found: Told = found) -> Tensor:
            g_opt.zero_grad()
            found["judged"] = d(g(noise))
            loss = softplus(-found["judged"]).mean()
            loss.backward()
            found["g"] = held(g_opt)
            return loss

        d_opt.step(of_d)
        g_opt.step(of_g)
        yield told(**found)


# ------------------------------------------------------------------------------------------------------------------------- the tests

LOOPS: list[Loop] = [by_closures]


def play(loop: Loop, path: Path | None) -> tuple[list[Told], list[Tensor], Attachment | None]:
    """Returns what the loop computed, the weights and the random state that it ended with, and what recorded it."""
    torch.manual_seed(0)
    nets: Nets = {}
    attachment = None if path is None else attach(path, say=lambda line: None)
    try:
        steps = list(loop(nets))
    finally:
        if attachment is not None:
            attachment.detach()
    state = [t for net in nets.values() for t in net.state_dict().values()]
    return steps, [*state, torch.get_rng_state()], attachment


def is_end_of(recorded: list[float], true: list[float]) -> bool:
    """Whether these are the last of the true values; one that came after the last update of the generator may be missing."""
    ends = [
        true[len(true) - cut - len(recorded) : len(true) - cut] for cut in (0, 1) if len(recorded) + cut <= len(true)
    ]
    return any(recorded == pytest.approx(end, rel=1e-3, abs=1e-4) for end in ends)


def norm(found: dict[int, float], player: nn.Module) -> float:
    mine = {id(p) for p in player.parameters()}
    return math.sqrt(sum(value for at, value in found.items() if at in mine))


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_every_step_is_recorded_as_the_loop_computed_it(loop: Loop, tmp_path: Path) -> None:
    _, alone, _ = play(loop, None)
    steps, watched, attachment = play(loop, tmp_path / "run")
    assert all(torch.equal(one, other) for one, other in zip(alone, watched))
    assert attachment is not None
    assert attachment.players is not None, attachment.why_not
    g, d = attachment.games[0].players.generator, attachment.games[0].players.discriminator
    run = gandiag.load_run(attachment.games[0].path)
    of_d, of_g = [s for s in steps if "d" in s], [s for s in steps if "g" in s]
    assert len(of_g) - 2 >= run.steps >= len(of_g) - 5
    assert set(run["generator_updates"].iloc[:-1]) == {1}
    real = run["real_logit_mean"]
    assert len(real) >= len(of_d) - 4
    assert is_end_of(real.to_list(), [s["real"] for s in of_d])
    assert is_end_of(run["fake_logit_mean"][real.index].to_list(), [s["fake"] for s in of_d])
    assert is_end_of(run["discriminator_gradient_norm"].to_list(), [norm(s["d"], d) for s in of_d])
    norms = run["generator_gradient_norm"]
    assert is_end_of(norms.to_list(), [norm(s["g"], g) for s in of_g])
    begun = len(of_g) - 1 - norms.index[-1]
    assert {i: of_g[i + begun]["judged"] for i in run["generator_turn_verdict"].index} == pytest.approx(
        run["generator_turn_verdict"].to_dict(), rel=1e-3, abs=1e-4
    )
