"""What the recorder tells of how D is held, and of losses that share one backward pass; and what the diagnosis makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

import gandiag
from gandiag.diagnosis import Finding, Verdict
from gandiag.recording.conditions import Conditions, Pairs
from gandiag.recording.constraint import clipped_share, normalised


def net(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 16), nn.LeakyReLU(), nn.Linear(16, outputs))


def reals() -> Tensor:
    return torch.randn(32, 2) + 2


def mean_slope(d: nn.Module, at: Tensor, *, create_graph: bool) -> Tensor:
    at = at.detach().requires_grad_()
    (slope,) = torch.autograd.grad(d(at).sum(), at, create_graph=create_graph)
    return (slope.norm(dim=1) - 1).square().mean()


# ------------------------------------------------------------------------------------------------- what holds the discriminator


def critic(
    path: Path, *, weight: float = 0.0, clip: float = 0.0, normal: bool = False, steps: int = 40
) -> dict[str, Any]:
    torch.manual_seed(0)
    g, d = net(3, 2), net(2, 1)
    if normal:
        nn.utils.parametrizations.spectral_norm(d[0])
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    with gandiag.Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(steps):
            real, fake = reals(), g(torch.randn(32, 3))
            d_loss = d(fake.detach()).mean() - d(real).mean()
            if weight:
                d_loss = d_loss + weight * mean_slope(d, real, create_graph=True)
            else:
                mean_slope(d, real, create_graph=False)  # somebody looks at the slope, and nothing holds it
            d_opt.zero_grad()
            d_loss.backward()
            d_opt.step()
            if clip:
                for p in d.parameters():
                    p.data.clamp_(-clip, clip)
            g_loss = -d(fake).mean()
            g_opt.zero_grad()
            g_loss.backward()
            g_opt.step()
            recorder.step(d_loss=d_loss, g_loss=g_loss)
    about: dict[str, Any] = gandiag.load_run(path).about["discriminator_constraint"]
    return about


def test_a_critic_that_nothing_holds_is_told(tmp_path: Path) -> None:
    assert critic(tmp_path / "run") == {
        "gradient_penalty": False,
        "normalised_weights": False,
        "clipped_share": 0.0,
        "slopes_alone": 40,  # steps in which it was computed, and no loss could hold it
    }


def test_a_penalty_that_a_loss_can_hold_is_seen(tmp_path: Path) -> None:
    told = critic(tmp_path / "run", weight=10.0)
    assert told["gradient_penalty"] is True
    assert told["slopes_alone"] == 0


def test_clipped_weights_are_seen(tmp_path: Path) -> None:
    assert critic(tmp_path / "run", clip=0.05)["clipped_share"] > 0.1


def test_normalised_weights_are_seen(tmp_path: Path) -> None:
    assert critic(tmp_path / "run", normal=True)["normalised_weights"] is True
    assert normalised(nn.utils.spectral_norm(nn.Linear(3, 3)))
    assert not normalised(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)))


def test_ties_are_counted_in_each_weight_beyond_one() -> None:
    layer = nn.Linear(4, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -0.5, 0.1, 0.2], [0.5, 0.0, 0.3, -0.1]]))
    assert clipped_share(layer) == pytest.approx(2 / 8)
    assert clipped_share(nn.BatchNorm1d(3)) is None


@pytest.mark.parametrize("weight", [10.0, -10.0])
def test_a_penalty_that_is_subtracted_is_named_and_one_that_is_added_is_not(weight: float, tmp_path: Path) -> None:
    critic(tmp_path / "run", weight=weight)
    finding = gandiag.diagnose(tmp_path / "run").finding("objective_fault")
    if weight > 0:
        assert finding.verdict is Verdict.HEALTHY, finding.claim
    else:
        assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "penalty of the wrong sign", 0)


# ------------------------------------------------------------------------------------------------- one backward pass for both


class Reversed(torch.autograd.Function):
    """Turns the gradient round."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return -gradients[0]


def losses(how: str, d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    shown = {"undetached": fake, "reversed": Reversed.apply(fake)}.get(how, fake.detach())
    d_loss = softplus(-d(real)).mean() + softplus(d(shown)).mean()
    if how == "reversed":
        return d_loss
    if how == "one verdict":
        verdict = d(fake)
        return softplus(-d(real)).mean() + softplus(verdict).mean() + softplus(-verdict).mean()
    d.requires_grad_(how != "frozen")
    g_loss = softplus(-d(fake)).mean()
    d.requires_grad_(True)
    return d_loss + g_loss


def one_pass(path: Path, how: str, *, shared: bool = False, d_first: bool = True, steps: int = 60) -> Finding:
    torch.manual_seed(0)
    g, d = net(3, 2), net(2, 1)
    if shared:
        g_opt = d_opt = torch.optim.Adam([*g.parameters(), *d.parameters()], 1e-3)
    else:
        g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    order = (d_opt, g_opt) if d_first else (g_opt, d_opt)
    with gandiag.Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(steps):
            for optimizer in dict.fromkeys(order):
                optimizer.zero_grad()
            losses(how, d, reals(), g(torch.randn(32, 3))).backward()
            for optimizer in dict.fromkeys(order):
                optimizer.step()
            recorder.step()
    return gandiag.diagnose(path).finding("objective_fault")


@pytest.mark.parametrize(("shared", "d_first"), [(False, True), (False, False), (True, True)])
@pytest.mark.parametrize("how", ["undetached", "detached", "one verdict"])
def test_both_losses_in_one_backward_pass_are_named(how: str, shared: bool, d_first: bool, tmp_path: Path) -> None:
    finding = one_pass(tmp_path / "run", how, shared=shared, d_first=d_first)
    assert (finding.verdict, finding.kind, finding.onset) == (Verdict.FAILED, "one backward pass", 0), finding.claim
    assert ("not detached" in finding.cause) is (how == "undetached")


@pytest.mark.parametrize("d_first", [False, True])
@pytest.mark.parametrize("how", ["reversed", "frozen"])
def test_a_gradient_reversal_and_a_frozen_discriminator_are_sound(how: str, d_first: bool, tmp_path: Path) -> None:
    finding = one_pass(tmp_path / "run", how, d_first=d_first)
    assert finding.kind != "one backward pass", finding.claim


# ------------------------------------------------------------------------------------------------------- what G is fed


class OnGrid(nn.Module):
    """A generator that is given the same places at every step, and latents beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.net = net(6, 2)

    def forward(self, places: Tensor, z: Tensor) -> Tensor:
        found: Tensor = self.net(torch.cat([places, z], 1))
        return found


def fed(path: Path, how: str, *, samples: int = 32, steps: int = 40) -> dict[str, Any]:
    torch.manual_seed(0)
    g, d = OnGrid() if how == "beside a grid" else net(3, 2), net(2, 1)
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    kept = torch.randn(samples, 3)
    with gandiag.Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(steps):
            if how == "refilled":
                kept.data.normal_()  # the version counter does not see it
            z = torch.randn(samples, 3) if how == "new" else kept
            if how == "new":
                with torch.no_grad():
                    g(kept)  # a preview of the same samples at every step
            fake = g(kept, torch.randn(samples, 3)) if how == "beside a grid" else g(z)
            d_opt.zero_grad()
            (softplus(-d(reals())).mean() + softplus(d(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(fake)).mean().backward()
            g_opt.step()
            recorder.step()
    about: dict[str, Any] = gandiag.load_run(path).about
    return about


@pytest.mark.parametrize("how", ["new", "refilled", "beside a grid"])
def test_latents_that_are_drawn_anew_are_not_accused(how: str, tmp_path: Path) -> None:
    assert "same_latents" not in fed(tmp_path / "run", how)


def test_one_batch_of_latents_for_ever_is_named(tmp_path: Path) -> None:
    assert fed(tmp_path / "run", "kept")["same_latents"] == {"samples": 32, "steps": 32}
    finding = gandiag.diagnose(tmp_path / "run").finding("objective_fault")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "same latents"), finding.claim
    fed(tmp_path / "many", "kept", samples=200, steps=36)
    assert gandiag.diagnose(tmp_path / "many").finding("objective_fault").verdict is Verdict.SUSPECT


def test_what_leads_to_the_generator_is_the_fake_where_nearness_alone_tells_ds(tmp_path: Path) -> None:
    """D is shown reals twice: whichever is taken for its fakes, the fakes' statistics are those of what G was judged by."""
    torch.manual_seed(0)
    g, d = net(3, 2), net(2, 1)
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    means = []
    with gandiag.Recorder(
        tmp_path / "run", generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt
    ) as recorder:
        for _ in range(40):
            fake = g(torch.randn(32, 3))
            d_opt.zero_grad()
            (softplus(-d(reals())).mean() + softplus(d(reals())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(fake)).mean().backward()
            g_opt.step()
            means.append(fake.mean().item())
            recorder.step()
    recorded = gandiag.load_run(tmp_path / "run")["fake_mean"]
    assert recorded.to_numpy() == pytest.approx([means[i] for i in recorded.index], abs=1e-6)


# --------------------------------------------------------------------------------------------------- labels beside batches


class Judge(nn.Module):
    """A discriminator of points and classes."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.net = nn.Embedding(4, 3), net(5, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        found: Tensor = self.net(torch.cat([x, self.table(y)], 1))
        return found


def labelled(
    path: Path, *, shuffled: bool = False, asked: int = 4, steps: int = 40, shuffled_from: int | None = None
) -> Any:
    torch.manual_seed(0)
    g, d = net(3, 2), Judge()
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    centres = 4 * torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    with gandiag.Recorder(
        path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True
    ):
        for step in range(steps):
            y = torch.randint(4, (32,))
            real = centres[y] + 0.3 * torch.randn(32, 2)
            apart = shuffled or (shuffled_from is not None and step >= shuffled_from)
            given = y[torch.randperm(32)] if apart else y
            wanted = torch.randint(asked, (32,))
            fake = g(torch.randn(32, 3))
            d_opt.zero_grad()
            (softplus(-d(real, given)).mean() + softplus(d(fake.detach(), wanted)).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            softplus(-d(fake, wanted)).mean().backward()
            g_opt.step()
    return gandiag.load_run(path)


def test_labels_that_belong_to_their_reals_are_kept_and_not_accused(tmp_path: Path) -> None:
    run = labelled(tmp_path / "run")
    told = run.about["labels"]
    assert told["agreement"]["share"] > 0.95
    assert told["agreement"]["count"] == 1024
    assert set(told["counts"]["real"]) == set(told["counts"]["fake"]) == {"0", "1", "2", "3"}
    assert gandiag.diagnose(run).finding("data_mismatch").kind != "labels"


def test_a_sample_that_is_drawn_twice_does_not_vouch_for_its_label() -> None:
    """Of few data drawn with replacement the nearest neighbour is the sample itself: labels that were shuffled once seemed to belong."""
    chance = torch.Generator().manual_seed(0)
    samples, labels = torch.randn(400, 3, generator=chance), torch.randint(4, (400,), generator=chance)
    pairs = Pairs(0)
    for _ in range(32):
        drawn = torch.randint(400, (32,), generator=chance)
        pairs.keep(samples[drawn], labels[drawn], torch.ones(32, dtype=torch.bool))
    told = pairs.agreement()
    assert told is not None
    assert told["count"] == len(torch.unique(torch.cat(pairs._images), dim=0)) < 400
    assert told["share"] < told["chance"] + 4 * (told["chance"] / told["count"]) ** 0.5


def test_labels_shuffled_apart_from_their_reals_are_named_without_any_kept_sample(tmp_path: Path) -> None:
    finding = gandiag.diagnose(labelled(tmp_path / "run", shuffled=True)).finding("data_mismatch")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "labels"), finding.claim
    assert "near neighbour" in finding.claim


@pytest.mark.parametrize("since", [50, 250])
def test_labels_that_come_apart_from_their_reals_later_are_named_since_then(since: int, tmp_path: Path) -> None:
    """By the first pass over the data images and labels are in step, and then the images alone are shuffled anew."""
    run = labelled(tmp_path / "run", shuffled_from=since, steps=420)
    told = run.about["labels"]
    assert told["agreement"]["share"] > 0.95
    assert since <= told["later_agreement"]["since"] < 420
    finding = gandiag.diagnose(run).finding("data_mismatch")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "labels"), finding.claim
    assert finding.onset == told["later_agreement"]["since"]


def test_labels_that_stay_with_their_reals_are_not_accused_later_either(tmp_path: Path) -> None:
    run = labelled(tmp_path / "run", steps=420)
    assert run.about["labels"]["later_agreement"]["share"] > 0.95
    assert gandiag.diagnose(run).finding("data_mismatch").kind != "labels"


def test_a_class_that_is_never_asked_for_is_named(tmp_path: Path) -> None:
    finding = gandiag.diagnose(labelled(tmp_path / "run", asked=3)).finding("data_mismatch")
    assert (finding.verdict, finding.kind) == (Verdict.FAILED, "labels"), finding.claim
    assert "class 3" in finding.claim


def test_noise_on_samples_that_are_drawn_again_does_not_vouch_for_their_labels() -> None:
    chance = torch.Generator().manual_seed(0)
    samples, labels = torch.randn(2000, 3, generator=chance), torch.randint(4, (2000,), generator=chance)
    pairs = Pairs(0)
    for _ in range(32):
        drawn = torch.randint(2000, (32,), generator=chance)
        noise = 1e-3 * torch.randn(32, 3, generator=chance)
        pairs.keep(samples[drawn] + noise, labels[drawn], torch.ones(32, dtype=torch.bool))
    told = pairs.agreement()
    assert told is not None
    assert told["count"] == 1024
    assert told["share"] < told["chance"] + 3 * (told["chance"] / told["count"]) ** 0.5


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_fakes_that_no_graph_tells_do_not_vouch_for_the_labels_of_reals(noise: float) -> None:
    """Each class's fakes lie together from the first: taken for reals, they would seem to have labels of their own."""
    chance = torch.Generator().manual_seed(0)
    conditions = Conditions()
    for _ in range(40):
        wanted = torch.randint(4, (32,), generator=chance)
        made = torch.eye(4)[wanted] + 0.3 * torch.randn(32, 4, generator=chance)
        for shown in (torch.randn(32, 4, generator=chance), made + noise * torch.randn(32, 4, generator=chance)):
            conditions.note(shown, False, (shown, wanted), {}, made)
    told = conditions.told()
    assert told is not None
    assert told["agreement"]["count"] == 512
    assert told["agreement"]["share"] < 0.31
