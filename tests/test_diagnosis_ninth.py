"""What the ninth exam has taught: rules that cannot tell beside others that can, whole tables in a batch, few updates of D, smooth curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import gandiag
from gandiag.diagnosis import Verdict, diagnose
from gandiag.recording.unjudged import LOOKS, Unjudged
from tests import made_runs
from tests.made_runs import made

STEPS = 1000
TENS = len(np.arange(0, STEPS, made_runs.DIVERSITY_EVERY))
NARROW = {"diversity_ratio": np.full(TENS, 0.2)}
WIDE = (
    "modes",
    "mode",
    "data_mode",
    "high_quality",
    "frechet",
    "kernel",
    "precision",
    "recall",
)  # evaluations, left out


def recorded(
    path: Path, d: nn.Module, g: nn.Module, batches: list[torch.Tensor], *, joined: bool = False, mixed: bool = False
) -> Path:
    """A small training of a conditional G, recorded by one line; a real's label is the sign of its first value, or `mixed` another one's.

    D is shown samples alone, or fakes and reals `joined` in one batch, with their labels.
    """
    d_opt, g_opt = (torch.optim.Adam(net.parameters(), 1e-3) for net in (d, g))
    with gandiag.Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True
    ):
        for real in batches:
            labels = (real[:, 0] > 0).long()
            labels = labels[torch.randperm(len(labels))] if mixed else labels
            asked = torch.randint(2, (len(real),))
            z = torch.cat([torch.randn(len(real), 4), nn.functional.one_hot(asked, 2).float()], 1)
            with torch.no_grad():
                fake = g(z)
            if joined:
                scores = d(torch.cat([fake, real]), torch.cat([asked, labels]))
                of_fake, of_real = scores.chunk(2)
            else:
                of_real, of_fake = d(real), d(fake)
            d_opt.zero_grad()
            (nn.functional.softplus(-of_real).mean() + nn.functional.softplus(of_fake).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            fake = g(z)
            nn.functional.softplus(-(d(fake, asked) if joined else d(fake))).mean().backward()
            g_opt.step()
    return path


class Judge(nn.Module):
    """Scores points, with or without labels; returns more than a score where it classifies too."""

    def __init__(self, outputs: int = 1) -> None:
        super().__init__()
        self.body, self.score, self.of_class = nn.Linear(3, 16), nn.Linear(16, outputs), nn.Embedding(2, 16)

    def forward(self, x: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        features = torch.relu(self.body(x))
        scores = self.score(features)
        return scores if y is None else scores + (self.of_class(y) * features).sum(1, keepdim=True)


def maker() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))


def reals(count: int) -> list[torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    return [torch.randn(32, 3, generator=chance) for _ in range(count)]


def test_a_class_that_nobody_judges_is_named(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = recorded(tmp_path / "run", Judge(), maker(), reals(200))
    assert gandiag.load_run(path).about["unjudged"] == {"classes": 2, "calls": LOOKS}
    found = diagnose(path).finding("objective_fault")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "unjudged condition"), found.claim


@pytest.mark.parametrize(
    "way", ["labels", "one column more", "a second output", "a class beside the score", "no class", "many ones"]
)
def test_a_class_that_is_judged_and_latents_without_one_are_not(way: str) -> None:
    looked = Unjudged()
    torch.manual_seed(0)
    one_hot = nn.functional.one_hot(torch.randint(3, (16,)), 3).float()
    z = torch.randn(16, 4)
    given = {"no class": z, "many ones": (torch.rand(16, 7) > 0.5).float()}.get(way, torch.cat([z, one_hot], 1))
    made = torch.randn(16, 2)
    for _ in range(LOOKS):
        looked.given((given,), {}, made)
        shown = torch.randn(16, 3 if way == "one column more" else 2)
        score = torch.randn(16, 4 if way == "a second output" else 1)
        output = (score, torch.randn(16, 3)) if way == "a class beside the score" else score
        looked.judged(None if way == "labels" else shown, made, output)
    assert looked.told() is None


@pytest.mark.parametrize("first", [False, True])
def test_a_one_hot_block_is_found_at_either_end_and_whole_numbers_too(first: bool) -> None:
    torch.manual_seed(0)
    labels = torch.randint(5, (16,))
    parts = [torch.randn(16, 4), nn.functional.one_hot(labels, 5).float()]
    for given in ((torch.cat(parts[::-1] if first else parts, 1),), (parts[0], labels)):
        looked = Unjudged()
        for _ in range(LOOKS):
            looked.given(given, {}, torch.randn(16, 2))
            looked.judged(torch.randn(16, 2), torch.randn(16, 2), torch.randn(16, 1))
        told = looked.told()
        assert told is not None
        assert told["classes"] == (5 if len(given) == 1 else len(labels.unique()))


@pytest.mark.parametrize("mixed", [False, True])
def test_labels_of_a_batch_to_which_fakes_are_joined_are_those_of_its_reals(mixed: bool, tmp_path: Path) -> None:
    """Fakes of one class lie together from the start: they would hide that the reals' labels are anybody's."""
    torch.manual_seed(0)
    batches = [torch.randn(32, 3) + torch.tensor([2.0, 0, 0]) * torch.randn(32, 1).sign() for _ in range(60)]
    path = recorded(tmp_path / "run", Judge(), maker(), batches, joined=True, mixed=mixed)
    told = gandiag.load_run(path).about["labels"]
    count = sum(told["counts"]["real"].values())
    assert count == told["agreement"]["count"]
    assert count % 32 == 0
    expected = sum(int((batch[:, 0] > 0).sum()) for batch in batches[: count // 32])
    assert told["counts"]["real"]["1"] == expected
    assert (told["agreement"]["share"] > 0.9) is not mixed
    assert abs(told["agreement"]["share"] - 0.5) < 0.1 or not mixed


def test_a_discriminator_that_is_frozen_after_its_first_step_is_named(tmp_path: Path) -> None:
    """Its forces are known of a single step: the rules that need more of them cannot tell, and must not silence the others."""
    torch.manual_seed(0)
    d = Judge()
    d_opt = torch.optim.Adam(d.parameters(), 1e-3)
    g = maker()
    g_opt = torch.optim.Adam(g.parameters(), 1e-3)
    with gandiag.Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for step, real in enumerate(reals(400)):
            z = torch.randn(32, 6)
            d_loss = nn.functional.softplus(-d(real)).mean() + nn.functional.softplus(d(g(z).detach())).mean()
            d_opt.zero_grad()
            if step == 0:
                d_loss.backward()
            d_opt.step()
            d.requires_grad_(False)
            g_loss = nn.functional.softplus(-d(g(z))).mean()
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss)
    found = diagnose(tmp_path / "run").illnesses[0]
    assert (found.check, found.kind, found.onset) == ("objective_fault", "frozen discriminator", 1), found.claim


@pytest.mark.parametrize(
    ("size", "verdict"), [(64, Verdict.FAILED), (178, Verdict.SUSPECT), (1000, Verdict.SUSPECT), (150, Verdict.FAILED)]
)
def test_a_batch_that_repeats_is_a_fault_unless_it_may_be_the_data_whole(
    size: int, verdict: Verdict, tmp_path: Path
) -> None:
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"images_seen": size * np.arange(1.0, STEPS + 1)},
        slow={"real_batch_repeat": np.ones(TENS)},
        facts={"data": None, "config": {}},
    )
    found = diagnose(path).finding("data_mismatch")
    assert (found.verdict, found.kind) == (verdict, "repeated"), found.claim


@pytest.mark.parametrize(("times", "named"), [(15.0, True), (4.0, False)])
def test_a_discriminator_that_is_updated_once_in_fifteen_is_outnumbered(
    times: float, named: bool, tmp_path: Path
) -> None:
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"generator_updates": np.full(STEPS, times), "discriminator_updates": np.ones(STEPS)},
        slow=NARROW,
        without=WIDE,
    )
    found = diagnose(path).finding("discriminator_weakness")
    assert (found.kind == "outnumbered" and found.verdict is Verdict.FAILED) is named, found.claim


@pytest.mark.parametrize(
    ("real", "fake", "ill"),
    [(0.024, 0.075, False), (0.3, 0.9, True), (0.3, 0.1, True), (0.024, 0.4, True)],
    ids=["next to nothing", "noisy", "blurred", "noise on smooth curves"],
)
def test_roughness_counts_where_it_is_a_part_of_the_scatter(
    real: float, fake: float, ill: bool, tmp_path: Path
) -> None:
    slow = {"real_roughness": np.full(TENS, real), "fake_roughness": np.full(TENS, fake)}
    found = diagnose(made(tmp_path / "run", steps=STEPS, slow=slow, without=WIDE)).finding("stagnation")
    assert ("rough" in found.claim and found.verdict is Verdict.FAILED) is ill, found.claim


@pytest.mark.parametrize(("left", "named"), [(1e-6, True), (0.5, False)])
def test_a_generator_that_its_first_steps_have_silenced_is_thrown(left: float, named: bool, tmp_path: Path) -> None:
    """The norm that is recorded first is that after the first step: of weights of 10 a step of .64 makes 13."""
    ratio, gradient = np.full(TENS, 1e-7 if named else 1e-3), np.full(STEPS, left)
    ratio[0], gradient[:3] = 0.64, 1.0
    path = made(
        tmp_path / "run",
        steps=STEPS,
        columns={"generator_gradient_norm": gradient},
        slow={**NARROW, "generator_update_ratio": ratio, "generator_parameter_norm": np.full(TENS, 13.0)},
        without=WIDE,
    )
    found = diagnose(path).finding("learning_rate")
    assert (found.verdict is Verdict.FAILED and "dead since" in found.claim) is named, found.claim


def test_growth_is_counted_from_the_weights_before_the_first_step(tmp_path: Path) -> None:
    ratio = np.full(TENS, 1e-3)
    ratio[0] = 0.99
    path = made(
        tmp_path / "run",
        steps=STEPS,
        slow={**NARROW, "generator_update_ratio": ratio, "generator_parameter_norm": np.linspace(130.0, 258.0, TENS)},
        without=WIDE,
    )
    found = diagnose(path).finding("learning_rate")
    assert (found.verdict, found.kind) == (Verdict.FAILED, "too high"), found.claim
    assert "times as large since" in found.claim
