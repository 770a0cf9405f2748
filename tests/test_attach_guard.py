"""A hook of attach never raises into a stranger's script: each is sabotaged in turn, and the script ends with the same weights."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gandiag.recording import direct, guard, pieces
from gandiag.recording.attachment import attach
from gandiag.recording.finder import Watch
from gandiag.recording.watched_game import Game
from gandiag.run import load_run
from tests.test_attach import run, run_attached

# each hook of attach, what inside it is made to fail, and a script that comes by there
SABOTAGE: dict[str, tuple[Any, str, str]] = {
    "before a module's call": (Watch, "_entered", "simultaneous"),
    "after a module's call": (Watch, "_left", "simultaneous"),
    "after an update": (Watch, "_judge", "simultaneous"),
    "before an update, once a game is recorded": (Game, "owns", "simultaneous"),
    "a call that goes past the hooks": (direct, "is_ours", "direct_forward"),
    "a network in two pieces": (pieces, "tensors", "infogan_pieces"),
}


def sabotage(*told: Any, **named: Any) -> None:
    raise ZeroDivisionError("sabotage")


@pytest.mark.parametrize("hook", SABOTAGE)
def test_a_hook_that_fails_leaves_the_script_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    owner, name, script = SABOTAGE[hook]
    plain = run(script, tmp_path / "plain.pt")
    monkeypatch.setattr(owner, name, sabotage)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ran, attachment, said = run_attached(script, tmp_path)
    assert ran.printed == plain.printed
    assert torch.equal(ran.random_state, plain.random_state)
    for net, state in plain.weights.items():
        assert all(torch.equal(value, ran.weights[net][key]) for key, value in state.items())
    news = [str(w.message) for w in told if "gandiag" in str(w.message)] + [s for s in said if "sabotage" in s]
    assert len(news) == 1, "it is said once"
    assert "ZeroDivisionError: sabotage" in news[0]
    if attachment.games:
        assert load_run(tmp_path / "run").about["status"] == "finished"
    else:
        assert "sabotage" in attachment.why_not


def test_the_scripts_own_exception_comes_out_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(Exception):
        pass

    class Fails(nn.Linear):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            raise Mine

    monkeypatch.setattr(Watch, "_left", sabotage)
    attachment = attach(tmp_path / "run", say=lambda line: None)
    try:
        with pytest.warns(RuntimeWarning, match="sabotage"), pytest.raises(Mine):
            Fails(1, 1)(torch.zeros(1, 1))
        net = nn.Linear(1, 1)
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        net(torch.zeros(1, 1)).sum().backward()
        optimizer.step()
        assert not attachment._watch._module_hooks, "the hooks are gone after the next update"
    finally:
        attachment.detach()


def test_who_listens_cannot_stop_the_script(tmp_path: Path) -> None:
    def deaf(line: str) -> None:
        raise OSError("nobody listens")

    plain = run("simultaneous", tmp_path / "plain.pt")
    attachment = attach(tmp_path / "run", say=deaf)
    try:
        with pytest.warns(RuntimeWarning, match="nobody listens"):
            ran = run("simultaneous", tmp_path / "attached.pt")
    finally:
        attachment.detach()
    assert ran.printed == plain.printed
    assert load_run(tmp_path / "run").steps > 0, "and is recorded all the same"


def test_where_warnings_are_errors_the_training_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guard.warn("gandiag: a sentence")
    assert capsys.readouterr().err == "gandiag: a sentence\n"
