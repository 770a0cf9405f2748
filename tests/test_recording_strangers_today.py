"""Attach finds the players of trainings as they are written today: vocoders, autoencoders with a loss module, networks that grow."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import gandiag
from gandiag.recording.attachment import Attachment, attach


class Judge(nn.Module):
    """Judges true and made sounds in one call, by verdicts and features on both; `hangs` lets each verdict hang on both."""

    def __init__(self, strides: tuple[int, ...], *, hangs: bool = False) -> None:
        super().__init__()
        self.bodies = nn.ModuleList([nn.Conv1d(1, 4, 5, stride, 2) for stride in strides])
        self.heads = nn.ModuleList([nn.Conv1d(4, 1, 3, 1, 1) for _ in strides])
        self.hangs = hangs

    def forward(self, true: Tensor, made: Tensor) -> tuple[list[Tensor], ...]:
        if self.hangs:
            true, made = true - made.mean(0), made - true.mean(0)
        features = [[F.leaky_relu(body(x), 0.1) for body in self.bodies] for x in (true, made)]
        on_true, on_made = ([head(f).flatten(1) for head, f in zip(self.heads, of_one)] for of_one in features)
        return on_true, on_made, *features


def attached_to(train: Callable[[], None], path: Path, names: dict[str, Any] | None = None) -> Attachment:
    attachment = attach(path, say=lambda line: None, namespace=lambda: names or {})
    try:
        train()
    finally:
        attachment.detach()
    return attachment


def vocoder(judges: list[Judge], seen: list[list[tuple[float, float]]], steps: int = 12) -> None:
    """Trains against several judges, all of which one optimizer steps; keeps the mean verdicts on the true and the made of each."""
    maker = nn.Sequential(nn.Conv1d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv1d(8, 1, 3, padding=1), nn.Tanh())
    of_maker = torch.optim.AdamW(maker.parameters(), 1e-3)
    of_judges = torch.optim.AdamW(itertools.chain(*(judge.parameters() for judge in judges)), 1e-3)
    for _ in range(steps):
        true = torch.sin(torch.rand(8, 1, 1) + 0.3 * torch.arange(32.0))
        made = maker(torch.randn(8, 3, 32))
        of_judges.zero_grad()
        loss = torch.zeros(())
        for judge, kept in zip(judges, seen):
            on_true, on_made, _, _ = judge(true, made.detach())
            loss = loss + sum((1 - t).square().mean() + m.square().mean() for t, m in zip(on_true, on_made))
            kept.append((torch.cat(on_true, 1).mean().item(), torch.cat(on_made, 1).mean().item()))
        loss.backward()
        of_judges.step()
        of_maker.zero_grad()
        loss = torch.zeros(())
        for judge in judges:
            _, on_made, like, unlike = judge(true, made)
            loss = loss + sum((1 - m).square().mean() for m in on_made)
            loss = loss + 2 * sum((a - b).abs().mean() for a, b in zip(like, unlike))
        loss.backward()
        of_maker.step()


def test_judges_that_are_given_the_true_and_the_made_in_one_call_are_recorded_each(tmp_path: Path) -> None:
    torch.manual_seed(0)
    judges = [Judge((1, 2)), Judge((3,))]
    seen: list[list[tuple[float, float]]] = [[], []]
    attachment = attached_to(lambda: vocoder(judges, seen), tmp_path / "run")
    assert len(attachment.paths) == 2
    for path in attachment.paths:
        run = gandiag.load_run(path)
        begun = len(seen[0]) - run.steps
        real, fake = run["real_logit_mean"], run["fake_logit_mean"]
        fits = [
            [kept[i + begun][0] for i in real.index] == pytest.approx(real.to_numpy(), rel=1e-4, abs=1e-5)
            and [kept[i + begun][1] for i in fake.index] == pytest.approx(fake.to_numpy(), rel=1e-4, abs=1e-5)
            for kept in seen
        ]
        assert fits.count(True) == 1, "the verdicts are one judge's own"
        assert len(real) == run.steps
        assert "generator_game_share" in run
        told = [said for said in run.about["could_not_tell"] if "values for each sample" in said]
        assert not fits[0] or not told, "patches of two scales"


def test_verdicts_that_hang_on_both_are_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    attachment = attached_to(lambda: vocoder([Judge((1, 2), hangs=True)], [[]]), tmp_path / "run")
    assert not attachment.games
    assert "in one and the same call" in attachment.why_not


class Reconstruction(nn.Module):
    """A loss with the discriminator in it, as autoencoders have: it is given data and what was made of them, and returns one number."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminator = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3, 1, 1))
        self.kept: list[tuple[float, float]] = []

    def forward(self, real: Tensor, made: Tensor, who: str) -> Tensor:
        if who == "generator":
            return (real - made).abs().mean() - 0.1 * self.discriminator(made).mean()
        on_real, on_made = self.discriminator(real.detach()), self.discriminator(made.detach())
        self.kept.append((on_real.mean().item(), on_made.mean().item()))
        return F.relu(1 - on_real).mean() + F.relu(1 + on_made).mean()


class Autoencoder(nn.Module):
    """An encoder, a decoder and the loss in one module; the decoder alone knows where a code lies."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 6))
        self.decoder = nn.Sequential(nn.Linear(6, 64), nn.Unflatten(1, (1, 8, 8)))
        self.loss = Reconstruction()

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.decoder(self.encoder(x))
        return made


def test_a_discriminator_within_a_loss_is_found_and_codes_are_those_of_the_encoder_as_it_is(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Autoencoder()
    own = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimizers = {
        "generator": torch.optim.Adam(own, 1e-3),
        "discriminator": torch.optim.Adam(model.loss.discriminator.parameters(), 1e-3),
    }

    def train() -> None:
        for _ in range(60):
            x = torch.randn(8, 1, 8, 8)
            with torch.no_grad():  # an encoder whose codes wander off: those of the first steps mean nothing any more
                model.encoder[1].bias += 1
                model.decoder[0].bias -= model.decoder[0].weight.sum(1)
            for who, optimizer in optimizers.items():
                optimizer.zero_grad()
                model.loss(x, model(x), who).backward()
                optimizer.step()

    attachment = attached_to(train, tmp_path / "run", {"model": model})
    assert attachment.players is not None, attachment.why_not
    assert attachment.players.facts["discriminator"] == "model.loss.discriminator (Sequential)"
    assert attachment.players.facts["generator"] == "model.decoder (Sequential)"
    run = gandiag.load_run(tmp_path / "run")
    kept = [on_made for _, on_made in model.loss.kept]
    begun = len(kept) - run.steps
    fake = run["fake_logit_mean"].iloc[:-1]
    told = ([kept[i + begun - shift] for i in fake.index] for shift in (0, 1))
    assert any(values == pytest.approx(fake.to_numpy(), rel=1e-4, abs=1e-5) for values in told)
    drawn = attachment.games[0].passing.draw(64)
    assert drawn is not None
    assert drawn.abs().mean() < 3, "what is made of a code of the first steps lies far away"


class Growing(nn.Module):
    """A generator that is told its stage at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.small = nn.Linear(4, 16), nn.Linear(16, 64), nn.Linear(16, 16)

    def forward(self, z: Tensor, stage: int, alpha: float) -> Tensor:
        hidden = F.relu(self.first(z))
        if stage == 0:
            return alpha * self.small(hidden).view(-1, 1, 4, 4)
        large: Tensor = self.second(hidden).view(-1, 1, 8, 8)
        return alpha * large


def test_a_growing_generator_is_asked_for_samples_at_its_stage_and_what_it_leaves_behind_is_not_dead(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    g, d = Growing(), nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, 1))
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)

    def train() -> None:
        for step in range(420):
            stage = step >= 150
            fake = g(torch.randn(8, 4), int(stage), 0.5)
            d_opt.zero_grad()
            (F.softplus(-d(torch.randn(fake.shape))).mean() + F.softplus(d(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-d(fake)).mean().backward()
            g_opt.step()

    attachment = attached_to(train, tmp_path / "run")
    drawn = attachment.games[0].passing.draw(16)
    assert drawn is not None
    assert drawn.shape[1:] == (1, 8, 8)
    run = gandiag.load_run(tmp_path / "run")
    told = [r["why"] for r in run.records("events") if r["event"] == "not_evaluated"]
    assert told
    assert all("1x8x8 in place of 1x4x4" in why for why in told)
    assert "could_not_tell" not in run.about or not any("failed" in said for said in run.about["could_not_tell"])
    assert gandiag.diagnose(run).finding("dead_layers").verdict is gandiag.Verdict.HEALTHY


class Scales(nn.Module):
    """Judges a sound at two scales, and returns the verdicts in one list and each scale's features in another."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies = nn.ModuleList([nn.Conv1d(1, 4, 5, stride, 2) for stride in (1, 2)])
        self.heads = nn.ModuleList([nn.Conv1d(4, 1, 3, 1, 1) for _ in self.bodies])

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        features = [[F.leaky_relu(body(x), 0.1)] for body in self.bodies]
        return [head(of_one[-1]) for head, of_one in zip(self.heads, features)], features


def test_the_verdicts_of_several_scales_beside_their_features_are_all_read(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = nn.Conv1d(3, 1, 3, padding=1), Scales()
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    players = {"generator": g, "discriminator": d, "generator_optimizer": g_opt, "discriminator_optimizer": d_opt}
    kept: list[tuple[float, float]] = []
    with gandiag.Recorder(tmp_path / "run", **players, automatic=True):
        for _ in range(6):
            real, fake = torch.rand(8, 1, 32), g(torch.randn(8, 3, 32))
            d_opt.zero_grad()
            (on_real, _), (on_fake, _) = d(real), d(fake.detach())
            sum(F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(on_real, on_fake)).backward()
            d_opt.step()
            kept.append(tuple(torch.cat(x, 2).mean().item() for x in (on_real, on_fake)))
            g_opt.zero_grad()
            verdicts, features = d(fake)
            (-sum(v.mean() for v in verdicts) + sum(f.abs().mean() for of_one in features for f in of_one)).backward()
            g_opt.step()
    run = gandiag.load_run(tmp_path / "run")
    told = list(zip(run["real_logit_mean"], run["fake_logit_mean"]))
    assert told == [pytest.approx(both, rel=1e-5, abs=1e-6) for both in kept]


def test_a_generator_that_was_trained_alone_before_is_recorded_from_its_third_update_in_the_game_on(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))

    def train() -> None:
        alone = torch.optim.Adam(g.parameters(), 1e-3)
        for _ in range(20):
            alone.zero_grad()
            g(torch.randn(8, 4)).square().mean().backward()
            alone.step()
        g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
        for _ in range(20):
            fake = g(torch.randn(8, 4))
            d_opt.zero_grad()
            (F.softplus(-d(torch.randn(8, 2))).mean() + F.softplus(d(fake.detach())).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-d(fake)).mean().backward()
            g_opt.step()

    attachment = attached_to(train, tmp_path / "run")
    assert attachment.paths, attachment.why_not
    assert gandiag.load_run(tmp_path / "run").steps >= 17


class Pyramid(nn.Module):
    """Makes an image and a smaller one of it."""

    def __init__(self) -> None:
        super().__init__()
        self.large, self.small = nn.Linear(4, 64), nn.Linear(4, 16)

    def forward(self, z: Tensor) -> list[Tensor]:
        return [self.large(z).view(-1, 1, 8, 8), self.small(z).view(-1, 1, 4, 4)]


class BothSizes(nn.Module):
    """Judges an image and the smaller one beside it by one number each."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(64, 1), nn.Linear(16, 1)])

    def forward(self, sizes: list[Tensor]) -> Tensor:
        return torch.cat([head(x.flatten(1)) for head, x in zip(self.heads, sizes)], 1)


@pytest.mark.parametrize("order", ["discriminator first", "generator first"])
def test_fakes_that_are_augmented_once_and_then_detached_are_known_by_their_memory(order: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = Pyramid(), BothSizes()
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-2), torch.optim.Adam(d.parameters(), 1e-2)
    players = {"generator": g, "discriminator": d, "generator_optimizer": g_opt, "discriminator_optimizer": d_opt}
    kept: list[tuple[float, float]] = []

    def augmented(x: Tensor) -> Tensor:  # so strongly that nothing can be told by likeness
        return x * torch.randn(len(x), 1, 1, 1) * 3 + torch.randn(len(x), 1, 1, 1)

    def turn_of_d(fakes: list[Tensor]) -> None:
        on_real = d([augmented(torch.randn(8, 1, size, size)) for size in (8, 4)])
        on_fake = d([f.detach() for f in fakes])
        d_opt.zero_grad()
        (F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()).backward()
        d_opt.step()
        kept.append((on_real.mean().item(), on_fake.mean().item()))

    with gandiag.Recorder(tmp_path / "run", **players) as recorder:
        for _ in range(60):
            fakes = [augmented(f) for f in g(torch.randn(8, 4))]
            if order == "discriminator first":
                turn_of_d(fakes)
            g_opt.zero_grad()
            (-d(fakes).mean()).backward()
            g_opt.step()
            if order == "generator first":
                turn_of_d(fakes)
            recorder.step()
    run = gandiag.load_run(tmp_path / "run")
    told = list(zip(run["real_logit_mean"], run["fake_logit_mean"]))
    assert told == [pytest.approx(both, rel=1e-4, abs=1e-5) for both in kept]
    assert not any("nearer" in said for said in run.about.get("could_not_tell", []))
    assert run["generator_game_share"].to_numpy() == pytest.approx(1, abs=1e-5), "there is no other loss"


def test_a_balancer_of_losses_that_asks_for_gradients_at_the_output_is_heard_in_the_generators_turn(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    verdicts: list[float] = []

    def train() -> None:
        for step in range(60):
            real, fake = torch.randn(8, 2) + 3, g(torch.randn(8, 4))
            if step % 3:
                d_opt.zero_grad()
                (F.relu(1 - d(real)).mean() + F.relu(1 + d(fake.detach())).mean()).backward()
                d_opt.step()
            on_fake = d(fake)
            verdicts.append(on_fake.mean().item())
            losses = (-on_fake.mean(), (fake - real).abs().mean())
            slopes = [torch.autograd.grad(loss, [fake], retain_graph=True)[0] for loss in losses]
            g_opt.zero_grad()
            fake.backward(sum(slope / slope.norm() for slope in slopes))
            g_opt.step()

    attachment = attached_to(train, tmp_path / "run")
    assert attachment.paths, attachment.why_not
    run = gandiag.load_run(tmp_path / "run")
    assert run.steps >= 55, "no update of the generator is beside the game"
    begun = len(verdicts) - run.steps
    seen = run["generator_turn_verdict"]
    assert [verdicts[i + begun] for i in seen.index] == pytest.approx(seen.to_numpy(), rel=1e-4, abs=1e-5)
    assert run["generator_force_on_fake"].to_numpy() == pytest.approx(1)
    said = run.about["could_not_tell"]
    assert any("balancer" in s for s in said)
    assert not any("without the discriminator's verdict" in s for s in said)
    assert run.about["discriminator_constraint"]["slopes_alone"] == 0


def test_reals_that_are_augmented_are_not_held_against_fresh_fakes_that_are_not(tmp_path: Path) -> None:
    """A generator that makes exactly the data: only the augmentation, of reals and fakes alike, lies between them."""
    torch.manual_seed(0)
    g, d = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    nn.init.eye_(g.weight)
    nn.init.zeros_(g.bias)
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-9), torch.optim.Adam(d.parameters(), 1e-4)

    def augmented(x: Tensor) -> Tensor:
        return x + 5 * torch.randn(len(x), 1)

    def train() -> None:
        for _ in range(120):
            fake = augmented(g(torch.randn(16, 4)))
            d_opt.zero_grad()
            on_real, on_fake = d(augmented(torch.randn(16, 4))), d(fake.detach())
            (F.softplus(-on_real).mean() + F.softplus(on_fake).mean()).backward()
            d_opt.step()
            g_opt.zero_grad()
            F.softplus(-d(fake)).mean().backward()
            g_opt.step()

    attachment = attached_to(train, tmp_path / "run")
    assert attachment.paths, attachment.why_not
    run = gandiag.load_run(tmp_path / "run")
    assert run["precision[values]"].iloc[-1] > 0.7
    assert run["recall[values]"].iloc[-1] > 0.7, "fresh fakes would cover a narrow part of the augmented reals"
    assert any("as they were shown to it" in said for said in run.about["could_not_tell"])


def test_interpolates_of_a_penalty_are_no_changed_fakes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    g_opt, d_opt = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
    players = {"generator": g, "discriminator": d, "generator_optimizer": g_opt, "discriminator_optimizer": d_opt}
    with gandiag.Recorder(tmp_path / "run", **players, automatic=True) as recorder:
        for _ in range(8):
            real, fake = torch.randn(8, 2), g(torch.randn(8, 4))
            between = (real + fake) / 2  # leads back to G
            slope = torch.autograd.grad(d(between).sum(), between, create_graph=True)[0]
            d_opt.zero_grad()
            (d(fake.detach()).mean() - d(real).mean() + (slope.norm(dim=1) - 1).square().mean()).backward(
                retain_graph=True
            )
            d_opt.step()
            g_opt.zero_grad()
            (-d(fake).mean()).backward()
            g_opt.step()
        assert not recorder.shows_changed_fakes
