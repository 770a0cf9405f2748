"""Weights that get gradients and that no optimizer ever moves: in plain lists, or left out of the optimizer; and those that only look so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag import Recorder, load_run
from gandiag.diagnosis import Verdict, diagnose

Form = Callable[[nn.Linear], Any]
FORMS: dict[str, Form] = {
    "list": lambda layer: [layer],
    "tuple": lambda layer: (layer,),
    "dict": lambda layer: {"first": layer},
    "lists": lambda layer: [[layer]],
    "modules": lambda layer: nn.ModuleList([layer]),
}


class Net(nn.Module):
    """Two layers, the first of which is held in some container."""

    def __init__(self, inputs: int, outputs: int, form: Form) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, 32), nn.Linear(32, outputs)
        self.held = form(self.first)
        del self.first

    def layer(self) -> nn.Linear:
        found: Any = self.held
        while not isinstance(found, nn.Linear):
            found = next(iter(found.values())) if isinstance(found, dict) else found[0]
        return found

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(torch.relu(self.layer()(x)))
        return out


def play(
    path: Path, g: nn.Module, d: nn.Module, g_opt: Any, d_opt: Any, *, then: Callable[[], None] | None = None
) -> None:
    """Trains 40 steps."""
    with Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(40):
            fake, real = g(torch.randn(32, 4)), torch.randn(32, 2) + 1
            d_loss = F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()
            d_opt.zero_grad()
            d_loss.backward()
            d_opt.step()
            g_loss = F.softplus(-d(fake)).mean()
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
            if then is not None:
                then()
            recorder.step(d_loss=d_loss, g_loss=g_loss)


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, 1e-3)


@pytest.mark.parametrize("who", ["generator", "discriminator"])
@pytest.mark.parametrize("form", list(FORMS))
def test_layers_in_plain_containers_are_told_with_their_names(tmp_path: Path, form: str, who: str) -> None:
    torch.manual_seed(0)
    g = Net(4, 2, FORMS[form if who == "generator" else "modules"])
    d = Net(2, 1, FORMS[form if who == "discriminator" else "modules"])
    play(tmp_path / "run", g, d, adam(g.parameters()), adam(d.parameters()))
    told = load_run(tmp_path / "run").about.get("unstepped")
    finding = diagnose(tmp_path / "run").finding("objective_fault")
    if form == "modules":
        assert told is None
        assert finding.kind != "unstepped"
        return
    where = {"list": "[0]", "tuple": "[0]", "dict": "['first']", "lists": "[0][0]"}[form]
    assert told == {who: {"unregistered": [f"held{where}.weight", f"held{where}.bias"], "left_out": []}}
    assert finding.verdict is Verdict.FAILED
    assert finding.kind == "unstepped"
    assert f"held{where}.weight" in finding.claim


def test_what_the_optimizer_was_not_given_is_told(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = (Net(i, o, FORMS["modules"]) for i, o in ((4, 2), (2, 1)))
    play(tmp_path / "run", g, d, adam(g.last.parameters()), adam(d.parameters()))
    told = load_run(tmp_path / "run").about["unstepped"]
    assert told == {"generator": {"unregistered": [], "left_out": ["held.0.weight", "held.0.bias"]}}
    assert "optimizer was given" in str(diagnose(tmp_path / "run").finding("objective_fault").cause)


@pytest.mark.parametrize("by", ["another optimizer", "hand", "frozen", "unused", "copy"])
def test_weights_that_something_else_moves_or_that_get_no_gradient_are_not(tmp_path: Path, by: str) -> None:
    torch.manual_seed(0)
    g, d = Net(4, 2, FORMS["list" if by in ("another optimizer", "hand") else "modules"]), Net(2, 1, FORMS["modules"])
    first = g.layer()
    g_opt = adam(g.last.parameters() if by == "frozen" else g.parameters())
    other = adam(first.parameters()) if by == "another optimizer" else None
    if by == "frozen":
        first.requires_grad_(False)
    if by == "unused":
        g.spare = nn.Linear(3, 3)
    if by == "copy":  # a teacher, held so that it is no part of the network
        g.teacher = [Net(4, 2, FORMS["modules"])]

    def then() -> None:
        if other is not None:
            other.step()
            other.zero_grad()
        if by == "hand":
            with torch.no_grad():
                for p in first.parameters():
                    p.data.sub_(1e-3 * p.grad)
                    p.grad = None

    play(tmp_path / "run", g, d, g_opt, adam(d.parameters()), then=then)
    assert "unstepped" not in load_run(tmp_path / "run").about


@pytest.mark.parametrize(
    "damaged", [3, "words", [1], {"generator": 3}, {"generator": {"unregistered": 7, "left_out": None}}]
)
def test_a_damaged_entry_is_passed_over(tmp_path: Path, damaged: Any) -> None:
    torch.manual_seed(0)
    g, d = (Net(i, o, FORMS["modules"]) for i, o in ((4, 2), (2, 1)))
    play(tmp_path / "run", g, d, adam(g.parameters()), adam(d.parameters()))
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps(about | {"unstepped": damaged}))
    assert diagnose(tmp_path / "run").finding("objective_fault").kind != "unstepped"
