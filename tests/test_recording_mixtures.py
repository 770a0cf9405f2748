"""Discriminators that are shown more than one batch of reals and one of fakes: what is recorded of each side, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.recording import Recorder
from gandiag.run import Run, load_run

BATCH, STEPS = 16, 4
Scores = tuple[Tensor, Tensor]  # D's on reals and on fakes, in its own update


class Game:
    """Two small networks and their optimizers."""

    def __init__(self, discriminator: nn.Module | None = None) -> None:
        torch.manual_seed(0)
        self.G = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))
        self.D = discriminator or nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
        self.g_opt, self.d_opt = (torch.optim.Adam(net.parameters(), 1e-2) for net in (self.G, self.D))

    def fakes(self) -> Tensor:
        return self.G(torch.randn(BATCH, 3))


def reals() -> Tensor:
    return torch.randn(BATCH, 2) + 1


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def verdict(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def played(path: Path, game: Game, step: Callable[[Game], Scores], *, automatic: bool) -> tuple[Run, list[Scores]]:
    told = []
    with Recorder(
        path,
        generator=game.G,
        discriminator=game.D,
        generator_optimizer=game.g_opt,
        discriminator_optimizer=game.d_opt,
        automatic=automatic,
    ) as recorder:
        for _ in range(STEPS):
            told.append(step(game))
            if not automatic:
                recorder.step()
    return load_run(path), told


def balanced_consistency(game: Game) -> Scores:
    """D also agrees with itself on changed copies of reals and of fakes, which nothing leads back to G."""

    def changed(batch: Tensor) -> Tensor:
        return batch + 0.1 * torch.randn_like(batch)

    x, fake = reals(), game.fakes().detach()
    real_score, fake_score = game.D(x), game.D(fake)
    apart = (game.D(changed(x)) - real_score).square().mean() + (game.D(changed(fake)) - fake_score).square().mean()
    update(game.d_opt, verdict(real_score, fake_score) + 10 * apart)
    update(game.g_opt, F.softplus(-game.D(game.fakes())).mean())
    return real_score, fake_score


def mixtures_of_both(game: Game) -> Scores:
    """D is also asked how much of a mixture is real, in two micro-batches."""
    game.d_opt.zero_grad()
    scores = []
    for _ in range(2):
        x, fake, share = reals(), game.fakes().detach(), torch.rand(BATCH, 1)
        scores.append((game.D(x), game.D(fake)))
        (verdict(*scores[-1]) + (game.D(share * x + (1 - share) * fake) - share).square().mean()).backward()
    game.d_opt.step()
    update(game.g_opt, F.softplus(-game.D(game.fakes())).mean())
    real, fake = zip(*scores)
    return torch.cat(real), torch.cat(fake)


class OfText(nn.Module):
    """A discriminator of samples with a text."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        return self.layer(torch.cat([x, text], 1))


def reals_with_wrong_texts(game: Game) -> Scores:
    x, text, fake = reals(), torch.randn(BATCH, 2), game.fakes()
    real_score, wrong, fake_score = game.D(x, text), game.D(x, text.flip(0)), game.D(fake.detach(), text)
    update(game.d_opt, verdict(real_score, fake_score) + F.softplus(wrong).mean())
    update(game.g_opt, F.softplus(-game.D(fake, text)).mean())
    return real_score, fake_score


def reals_with_wrong_labels_joined(game: Game) -> Scores:
    """Each batch is joined to its labels after the fakes were detached: nothing of them leads back to G."""
    x, label, fake = reals(), torch.eye(2)[torch.randint(2, (BATCH,))], game.fakes()
    score = [game.D(torch.cat(pair, 1)) for pair in ((label, x), (1 - label, x), (label, fake.detach()))]
    update(game.d_opt, verdict(score[0], score[2]) + F.softplus(score[1]).mean())
    update(game.g_opt, F.softplus(-game.D(torch.cat([label, fake], 1))).mean())
    return score[0], score[2]


NETS: dict[Callable[[Game], Scores], Callable[[], nn.Module]] = {
    reals_with_wrong_texts: OfText,
    reals_with_wrong_labels_joined: lambda: nn.Linear(4, 1),
}


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize(
    "step", [balanced_consistency, mixtures_of_both, reals_with_wrong_texts, reals_with_wrong_labels_joined]
)
def test_batches_that_are_neither_stay_out_of_the_reals_and_it_is_said(
    tmp_path: Path, step: Callable[[Game], Scores], automatic: bool
) -> None:
    game = Game(NETS[step]() if step in NETS else None)
    run, told = played(tmp_path / "run", game, step, automatic=automatic)
    assert run["real_logit_mean"].to_list() == pytest.approx([float(real.mean()) for real, _ in told], rel=1e-4)
    assert run["fake_logit_mean"].to_list() == pytest.approx([float(fake.mean()) for _, fake in told], rel=1e-4)
    assert any("more batches that look real than fakes" in said for said in run.about["could_not_tell"])


def test_what_the_loop_names_as_real_is_the_reals_and_nothing_is_in_doubt(tmp_path: Path) -> None:
    game, told = Game(), []
    with Recorder(
        tmp_path / "run",
        generator=game.G,
        discriminator=game.D,
        generator_optimizer=game.g_opt,
        discriminator_optimizer=game.d_opt,
    ) as recorder:
        for _ in range(STEPS):
            x, fake, other = reals(), game.fakes(), reals()
            mixed, real_score, fake_score = game.D(other), game.D(x), game.D(fake.detach())
            update(game.d_opt, verdict(real_score, fake_score) + mixed.square().mean())
            update(game.g_opt, F.softplus(-game.D(fake)).mean())
            recorder.step(real_logits=real_score)
            told.append(float((1 - torch.sigmoid(real_score)).mean()))
    run = load_run(tmp_path / "run")
    assert run["discriminator_force_on_real"].to_list() == pytest.approx(told, rel=1e-3)
    assert not run.about.get("could_not_tell")


def crops(batch: Tensor) -> list[Tensor]:
    return [batch, 0.9 * batch]


def crops_in_calls_of_their_own(game: Game) -> Scores:
    x, fake = reals(), game.fakes()
    real_score, fake_score = game.D(torch.cat(crops(x))), game.D(torch.cat(crops(fake.detach())))
    update(game.d_opt, verdict(real_score, fake_score))
    update(game.g_opt, F.softplus(-game.D(torch.cat(crops(fake)))).mean())
    return real_score, fake_score


def crops_side_by_side(game: Game) -> Scores:
    x, fake = reals(), game.fakes()
    scores = game.D(torch.cat([*crops(x), *crops(fake.detach())]))
    update(game.d_opt, verdict(*scores.chunk(2)))
    update(game.g_opt, F.softplus(-game.D(torch.cat(crops(fake)))).mean())
    return scores[: 2 * BATCH], scores[2 * BATCH :]


def crops_in_turns(game: Game) -> Scores:
    x, fake = reals(), game.fakes()
    scores = game.D(torch.cat([part for pair in zip(crops(x), crops(fake.detach())) for part in pair])).split(BATCH)
    real_score, fake_score = torch.cat(scores[::2]), torch.cat(scores[1::2])
    update(game.d_opt, verdict(real_score, fake_score))
    update(game.g_opt, F.softplus(-game.D(torch.cat(crops(fake)))).mean())
    return real_score, fake_score


@pytest.mark.parametrize("automatic", [True, False])
@pytest.mark.parametrize("step", [crops_in_calls_of_their_own, crops_side_by_side, crops_in_turns])
def test_several_crops_of_each_sample_in_a_batch(
    tmp_path: Path, step: Callable[[Game], Scores], automatic: bool
) -> None:
    run, told = played(tmp_path / "run", Game(), step, automatic=automatic)
    for name, wanted in (
        ("real_logit_mean", [real.mean() for real, _ in told]),
        ("fake_logit_mean", [fake.mean() for _, fake in told]),
        ("discriminator_force_on_real", [torch.sigmoid(-real).mean() for real, _ in told]),
    ):
        assert run[name].to_list() == pytest.approx([float(value) for value in wanted], rel=1e-3)
    assert "generator_force_on_real" not in run  # both crops in G's turn are fakes


def test_two_batches_of_fakes_joined_in_gs_turn_are_not_one_of_each(tmp_path: Path) -> None:
    def step(game: Game) -> Scores:
        x, fake = reals(), game.fakes()
        real_score, fake_score = game.D(x), game.D(fake.detach())
        update(game.d_opt, verdict(real_score, fake_score))
        update(game.g_opt, F.softplus(-game.D(torch.cat([fake, game.fakes()]))).mean())
        return real_score, fake_score

    run, told = played(tmp_path / "run", Game(), step, automatic=False)
    assert run["real_logit_mean"].to_list() == pytest.approx([float(real.mean()) for real, _ in told], rel=1e-4)
    assert "generator_force_on_real" not in run
    assert not run.about.get("could_not_tell")


def test_one_batch_of_unequal_parts_is_not_taken_for_reals(tmp_path: Path) -> None:
    def step(game: Game) -> Scores:
        fake = game.fakes()
        scores = game.D(torch.cat([reals(), reals(), fake.detach()]))
        update(game.d_opt, verdict(scores[: 2 * BATCH], scores[2 * BATCH :]))
        update(game.g_opt, F.softplus(-game.D(fake)).mean())
        return scores[: 2 * BATCH], scores[2 * BATCH :]

    run, _ = played(tmp_path / "run", Game(), step, automatic=False)
    assert "real_logit_mean" not in run
    assert any("reals and fakes in one batch" in said for said in run.about["could_not_tell"])


@pytest.mark.parametrize("updates", [1, 3])
@pytest.mark.parametrize("penalty", [True, False])
def test_noise_on_both_sides_and_a_slope_taken_on_the_reals_that_the_loss_reads(
    penalty: bool, updates: int, tmp_path: Path
) -> None:
    """R1 makes the reals' call no interpolate: of several updates of D in a step the last is recorded, and no other is added to it."""
    torch.manual_seed(0)
    g = nn.Sequential(nn.Linear(3, 16), nn.SiLU(), nn.Linear(16, 2))
    d = nn.Sequential(nn.Linear(2, 16), nn.SiLU(), nn.Linear(16, 1))
    g_opt, d_opt = torch.optim.SGD(g.parameters(), 1e-2), torch.optim.SGD(d.parameters(), 1e-2)
    told: list[tuple[float, float]] = []
    with Recorder(
        tmp_path / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=True,
    ):
        for _ in range(12):
            for _ in range(updates):
                real = (5 + torch.randn(16, 2)).requires_grad_(penalty)
                fake = g(torch.randn(16, 3)).detach() + 0.1 * torch.randn(16, 2)
                on_real, on_fake = d(real), d(fake)
                loss = nn.functional.softplus(-on_real).mean() + nn.functional.softplus(on_fake).mean()
                if penalty:
                    loss = loss + torch.autograd.grad(on_real.sum(), real, create_graph=True)[0].square().mean()
                d_opt.zero_grad()
                loss.backward()
                d_opt.step()
            told.append((on_real.mean().item(), on_fake.mean().item()))
            g_opt.zero_grad()
            nn.functional.softplus(-d(g(torch.randn(16, 3)) + 0.1 * torch.randn(16, 2))).mean().backward()
            g_opt.step()
    run = load_run(tmp_path / "run")
    assert run["real_logit_mean"].to_numpy() == pytest.approx([real for real, _ in told], abs=1e-5)
    assert run["fake_logit_mean"].to_numpy() == pytest.approx([fake for _, fake in told], abs=1e-5)
    assert (run["discriminator_force_on_real"] > 0).all()
    assert (run["discriminator_updates"] == updates).all()
