"""Whether fakes are judged under the conditions that they were made for: by the recording, and what the diagnosis makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

import gandiag
from gandiag.diagnosis import Verdict
from gandiag.recording.asked import Asked

CLASSES, STEPS = 5, 60
Form = Literal["whole numbers", "one-hot"]


class Conditional(nn.Module):
    """A network that reads a batch and its classes, in either form."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(inputs + CLASSES, 24), nn.LeakyReLU(0.2), nn.Linear(24, outputs))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        found: Tensor = self.net(torch.cat([x, y if y.is_floating_point() else one_hot(y, CLASSES).float()], 1))
        return found


def record(path: Path, form: Form, wrong: tuple[str, ...]) -> gandiag.RunData:
    torch.manual_seed(0)
    G, D = Conditional(4, 3), Conditional(3, 1)
    g_opt, d_opt = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)

    places = torch.randn(CLASSES, 3)

    def classes() -> Tensor:
        drawn = torch.randint(CLASSES, (32,))
        return drawn if form == "whole numbers" else one_hot(drawn, CLASSES).float()

    with gandiag.Recorder(
        path, generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True
    ):
        for _ in range(STEPS):
            asked, of_reals = classes(), classes()
            hot = of_reals if form == "one-hot" else one_hot(of_reals, CLASSES).float()
            real, fake = 0.1 * torch.randn(32, 3) + hot @ places, G(torch.randn(32, 4), asked)
            d_opt.zero_grad()
            told = of_reals if "discriminator" in wrong else asked
            (softplus(-D(real, of_reals)).mean() + softplus(D(fake.detach(), told)).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-D(fake, of_reals if "generator" in wrong else asked)).mean().backward()
            g_opt.step()
    return gandiag.load_run(path)


@pytest.mark.parametrize("form", ["whole numbers", "one-hot"])
@pytest.mark.parametrize("wrong", [(), ("discriminator",), ("generator",), ("discriminator", "generator")])
def test_what_both_players_are_told_of_the_same_fakes_is_compared(
    tmp_path: Path, form: Form, wrong: tuple[str, ...]
) -> None:
    run = record(tmp_path / "run", form, wrong)
    for turn in ("discriminator", "generator"):
        told = run.about["conditions"][turn]
        assert told["share"] == pytest.approx(1 / CLASSES if turn in wrong else 1, abs=0.05)
        assert told["chance"] == pytest.approx(1 / CLASSES, abs=0.05)
        assert told["batches"] == STEPS
    finding = gandiag.diagnose(run.path).finding("data_mismatch")
    assert (finding.kind == "conditions") is bool(wrong)
    if wrong:
        assert finding.verdict is (Verdict.FAILED if "generator" in wrong else Verdict.SUSPECT)


def test_an_image_and_codes_that_never_come_twice_are_no_condition() -> None:
    asked = Asked()
    for _ in range(30):
        z, code, image = torch.randn(16, 8), torch.randn(16, 2), torch.randn(16, 8)
        asked.given((z, code), {}, image)
        asked.judged("generator", image, (image, torch.randn(16, 3)), {})  # nothing has the form of what G was given
    assert asked.told() is None
    for _ in range(30):
        z, code, image = torch.randn(16, 8), torch.randn(16, 2), torch.randn(16, 8)
        asked.given((z, code), {}, image)
        asked.judged("generator", image, (image,), {"noise": torch.randn(16, 2)})
    told = asked.told()
    assert told is not None
    assert told["generator"] == {"share": 0, "chance": 0, "batches": 30}  # of which the diagnosis says nothing


def test_a_generator_that_is_given_latents_alone_has_no_conditions() -> None:
    asked, image = Asked(), torch.randn(16, 3)
    for _ in range(30):
        asked.given((torch.randn(16, 5),), {}, image)
        asked.judged("discriminator", image, (image, torch.randn(16, 5)), {})
    assert asked.told() is None
