"""A hook of ours never raises into a training: each is sabotaged in turn, and the training goes on to the same weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.errors import UsageError
from gandiag.recording import Recorder
from gandiag.recording.capture import Capture
from gandiag.recording.origin import Outputs
from gandiag.recording.passes import Passes
from gandiag.recording.player import Player
from gandiag.recording.turns import Turns
from gandiag.run import load_run

STEPS, BROKEN_AT = 6, 3
# every way by which the training enters the recorder, and something inside that can fail
SABOTAGE: dict[str, tuple[type, str]] = {
    "forward hook of G": (Outputs, "remember"),
    "forward hook of D": (Outputs, "origin"),
    "tensor hook in a backward pass": (Passes, "_new_pass"),
    "tensor hook at the image": (Capture, "_pass_of_images"),
    "optimizer hook, whose turn it is": (Turns, "stepped"),
    "optimizer hook, its gradients": (Player, "read"),
    "optimizer hook of both": (Turns, "stepped_together"),
    "a step's end": (Turns, "seen"),
}


def train(
    watch: Callable[..., Any] | None,
    *,
    at_step: Callable[[int], None] = lambda step: None,
    together: bool,
    manual: bool,
) -> list[Tensor]:
    """Trains a small pair, its recorder made by `watch`; returns its parameters."""
    torch.manual_seed(0)
    generator, discriminator = nn.Linear(3, 2), nn.Linear(2, 1)
    if together:
        g_opt = d_opt = torch.optim.Adam([*generator.parameters(), *discriminator.parameters()], 1e-2)
    else:
        g_opt, d_opt = (torch.optim.Adam(m.parameters(), 1e-2) for m in (generator, discriminator))
    recorder = watch and watch(
        generator=generator, discriminator=discriminator, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    )
    for step in range(STEPS):
        at_step(step)
        fake = generator(torch.randn(5, 3))
        real_scores, fake_scores = discriminator(torch.randn(5, 2)), discriminator(fake.detach())
        d_loss = F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()
        if together:
            g_loss = F.softplus(-discriminator(fake)).mean()
            d_opt.zero_grad()
            (d_loss + g_loss).backward()
            d_opt.step()
        else:
            d_opt.zero_grad()
            d_loss.backward()
            d_opt.step()
            g_loss = F.softplus(-discriminator(fake)).mean()
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
        if recorder and manual:
            recorder.step(real_logits=real_scores, fake_logits=fake_scores, d_loss=d_loss, g_loss=g_loss)
    if recorder:
        recorder.close()
    return [p.detach().clone() for m in (generator, discriminator) for p in m.parameters()]


@pytest.mark.parametrize("manual", [True, False], ids=["step is called", "automatic"])
@pytest.mark.parametrize("hook", SABOTAGE)
def test_a_hook_that_fails_leaves_the_training_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str, manual: bool
) -> None:
    owner, name = SABOTAGE[hook]
    together = name == "stepped_together"
    expected = train(None, together=together, manual=manual)

    def fail(*arguments: Any, **named: Any) -> None:
        raise ZeroDivisionError("sabotage")

    def break_it(step: int) -> None:
        if step == BROKEN_AT:
            monkeypatch.setattr(owner, name, fail)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = train(
            lambda **players: Recorder(tmp_path / "run", automatic=not manual, **players),
            at_step=break_it,
            together=together,
            manual=manual,
        )
    assert all(torch.equal(a, b) for a, b in zip(expected, found))
    ours = [w for w in told if "gandiag" in str(w.message)]
    assert len(ours) == 1, [str(w.message) for w in told]
    assert "ZeroDivisionError: sabotage" in str(ours[0].message)
    run = load_run(tmp_path / "run")
    assert run.about["status"] == "finished"
    assert any("sabotage" in sentence for sentence in run.about["could_not_tell"])
    if manual:
        assert list(run["discriminator_loss"].index) == list(range(STEPS)), "what was given is recorded on"
        assert len(run["real_logit_mean"]) == STEPS
    assert len(run["discriminator_gradient_norm"]) >= BROKEN_AT - 1, "and what was captured before is kept"


@pytest.mark.parametrize("manual", [True, False], ids=["step is called", "automatic"])
def test_a_callback_may_still_stop_the_training(tmp_path: Path, manual: bool) -> None:
    class Enough(Exception):
        pass

    def stop(finding: Any) -> None:
        raise Enough

    recorders: list[Recorder] = []

    def watch(**players: Any) -> Recorder:
        recorders.append(
            Recorder(tmp_path / "run", automatic=not manual, on_finding=stop, judge=lambda p: [], **players)
        )
        return recorders[0]

    def find(step: int) -> None:
        if step == BROKEN_AT:
            recorders[0]._judging._found.put("an illness")

    with pytest.raises(Enough):
        train(watch, at_step=find, together=False, manual=manual)
    recorders[0].close("interrupted")


def test_what_is_wrong_before_the_training_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Recorder(
            tmp_path / "run", generator=nn.Linear(1, 1), discriminator=nn.Linear(1, 1), discriminator_output="score"
        )  # type: ignore[arg-type]
