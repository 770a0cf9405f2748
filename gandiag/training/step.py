"""The training step: one update of the game. It fits one screen, logs nothing and reads no value off the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from gandiag.training.augmentation import AdaptiveProbability
from gandiag.training.losses import Loss
from gandiag.training.optimizers import Player
from gandiag.training.penalties import Penalty, Shown, clip_weights, lazy_rates

Batch = tuple[Tensor, Tensor | None]  # samples and, in a conditional game, their classes


@dataclass(frozen=True)
class Settings:
    """What may change in mid-run (see schedule.CHANGEABLE), as it is at one step."""

    lr_g: float
    lr_d: float
    gamma: float
    instance_noise: float
    augmentation_probability: float
    clip_gradient: float | None
    clip_weights: float | None
    d_steps: int
    g_steps: int
    data_scale: float
    data_offset: float


@dataclass
class Waited:
    """How long a step has waited for data, in seconds."""

    seconds: float = 0.0

    def take(self) -> float:
        """Returns what has come together since it was last asked."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


@dataclass(frozen=True)
class Rules:
    """What a game is played by, fixed for the whole training."""

    loss: Loss
    penalties: tuple[Penalty, ...]
    penalty_every: int
    view: Callable[
        [Tensor, Settings, Players], Tensor
    ]  # what the discriminator is shown of a batch: augmentation, noise, packing
    draw_latent: Callable[[int, torch.Generator], Batch]  # latents for so many fakes
    draw_real: Callable[[], Batch]  # the next reals
    waited: Waited  # for them
    batch: int  # of this process
    slots: int  # calls that fakes are made in, each with its own batch statistics: PacGAN's packs hold one fake of each
    accumulate: int
    reuse_logits: bool  # penalties may differentiate the logits that the loss saw
    twice_differentiable: Callable[[Any], nn.Module]  # a player as penalties may call it
    autocast: Callable[[], AbstractContextManager[Any]]
    average: Callable[[nn.Module], None]  # averages the gradients over processes
    gather: Callable[[Tensor], Tensor]  # joins what the processes hold


@dataclass
class Players:
    """The live state of a training: all that a checkpoint keeps."""

    generator: nn.Module
    discriminator: nn.Module
    generator_ema: nn.Module  # the moving average; without one, a copy for evaluation
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    random: torch.Generator  # of latents and classes, alike in all processes
    noise: torch.Generator  # of noise, interpolates and augmentation, of each process its own
    step: int = 0
    adaptive: AdaptiveProbability | None = None  # ADA's controller
    penalty_memory: dict[str, Tensor] = field(default_factory=dict)

    @cached_property
    def averaged(self) -> tuple[tuple[list[Tensor], list[Tensor]], list[tuple[Tensor, Tensor]]]:
        """The moving average's parameters and the generator's, and the pairs of their buffers: networks are walked once, not every step."""
        average, generator = self.generator_ema, self.generator
        return (list(average.parameters()), list(generator.parameters())), list(
            zip(average.buffers(), generator.buffers())
        )


@dataclass(frozen=True)
class Turn:
    """What one player's update saw: its loss and penalty (already weighted), logits and samples; all without graph."""

    loss: Tensor
    penalty: Tensor | None
    real_logits: Tensor | None
    fake_logits: Tensor
    real: Tensor | None
    fake: Tensor


Gradient = Callable[[Players, Rules, Settings], Turn]
UpdateOfPlayers = Callable[[Player[Turn], Player[Turn], Settings], tuple[Turn, Turn]]


def play(players: Players, rules: Rules, settings: Settings, update: UpdateOfPlayers) -> tuple[Turn, Turn]:
    """Plays one step of the game: each side can say its gradient and make its move, the update decides in which order."""
    losses, moved = differentiable_losses(players, rules, settings), set[torch.optim.Optimizer]()
    optimizers = {
        players.discriminator: players.discriminator_optimizer,
        players.generator: players.generator_optimizer,
    }

    def apply(optimizer: torch.optim.Optimizer) -> None:
        players.scaler.step(optimizer)
        moved.add(optimizer)

    def next_scale(optimizer: torch.optim.Optimizer) -> None:
        if optimizer in moved and players.scaler.is_enabled():  # a scaler takes one move of an optimizer an update
            players.scaler.update()
            moved.clear()

    def clip() -> None:
        if settings.clip_weights:
            clip_weights(players.discriminator, settings.clip_weights)

    def side(
        module: nn.Module, gradient: Gradient, project: Callable[[], None], loss: Callable[[], Tensor]
    ) -> Player[Turn]:
        optimizer = optimizers[module]

        def found() -> Turn:
            next_scale(optimizer)
            return gradient(players, rules, settings)

        finish = partial(finish_gradient, players, module, optimizer, rules, settings)
        return Player(module, optimizer, found, partial(apply, optimizer), project, loss, finish)

    discriminator = side(players.discriminator, discriminator_gradient, clip, losses[0])
    generator = side(players.generator, generator_gradient, lambda: None, losses[1])
    turns = update(discriminator, generator, settings)
    if players.scaler.is_enabled():
        players.scaler.update()
    return turns


def discriminator_gradient(players: Players, rules: Rules, settings: Settings) -> Turn:
    """Leaves the gradient of the discriminator's loss and penalties on its parameters."""
    players.discriminator_optimizer.zero_grad(set_to_none=True)
    turns = []
    for real, real_labels in parts(rules.draw_real(), rules.accumulate):
        with torch.no_grad(), rules.autocast():
            fake, fake_labels = draw_fakes(players, rules, len(real))
        real, fake = real * settings.data_scale + settings.data_offset, fake.float()
        shown = shown_to_discriminator(players, rules, settings, (real, real_labels), (fake, fake_labels))
        with rules.autocast():
            real_logits = judge(players.discriminator, shown.real, shown.real_labels)
            fake_logits = judge(players.discriminator, shown.fake, shown.fake_labels)
        loss = rules.loss.discriminator(real_logits, fake_logits)
        penalty = (
            weighted_penalty(rules, settings, shown, (real_logits, fake_logits))
            if due(players, rules, settings)
            else None
        )
        players.scaler.scale((loss if penalty is None else loss + penalty) / rules.accumulate).backward()
        turns.append(
            Turn(
                loss.detach(),
                None if penalty is None else penalty.detach(),
                real_logits.detach(),
                fake_logits.detach(),
                real,
                fake,
            )
        )
    finish_gradient(players, players.discriminator, players.discriminator_optimizer, rules, settings)
    turn = joined(turns)
    if players.adaptive is not None and turn.real_logits is not None:
        players.adaptive.observe(rules.gather(turn.real_logits))
    return turn


def generator_gradient(players: Players, rules: Rules, settings: Settings) -> Turn:
    """Leaves the gradient of the generator's loss on its parameters; the discriminator's are left alone."""
    players.generator_optimizer.zero_grad(set_to_none=True)
    turns = []
    with frozen(players.discriminator_optimizer):
        for real_logits in real_scores(players, rules, settings):
            with rules.autocast():
                fake, labels = draw_fakes(players, rules, rules.batch // rules.accumulate)
                fake_logits = judge(players.discriminator, rules.view(fake, settings, players), labels)
            loss = rules.loss.generator(fake_logits if real_logits is None else real_logits, fake_logits)
            players.scaler.scale(loss / rules.accumulate).backward()
            turns.append(Turn(loss.detach(), None, None, fake_logits.detach(), None, fake.detach()))
    finish_gradient(players, players.generator, players.generator_optimizer, rules, settings)
    return joined(turns)


def finish_gradient(
    players: Players, player: nn.Module, optimizer: torch.optim.Optimizer, rules: Rules, settings: Settings
) -> None:
    """Averages a gradient over processes and clips its norm, once it is whole."""
    rules.average(player)
    if settings.clip_gradient is not None:
        players.scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(player.parameters(), settings.clip_gradient)


def differentiable_losses(
    players: Players, rules: Rules, settings: Settings
) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """Returns both players' losses as functions of both players' parameters, on one batch that is drawn when it is first asked for.

    Of several processes each takes the whole batch: what differentiates a gradient needs the game's, and knows only its own.
    """

    def whole(batch: Batch) -> Batch:
        samples, labels = batch
        return rules.gather(samples), None if labels is None else rules.gather(labels)

    @cache
    def batch() -> tuple[Batch, Batch]:
        return whole(rules.draw_real()), whole(rules.draw_latent(rules.batch, players.random))

    def logits() -> tuple[Tensor, Tensor]:
        (real, real_labels), (latent, labels) = batch()
        fake = generated(players, rules, latent, labels)
        views = (rules.view(x, settings, players) for x in (real * settings.data_scale + settings.data_offset, fake))
        return judge(players.discriminator, next(views), real_labels), judge(players.discriminator, next(views), labels)

    return lambda: rules.loss.discriminator(*logits()), lambda: rules.loss.generator(*logits())


def draw_fakes(players: Players, rules: Rules, count: int) -> Batch:
    """Returns fakes from new latents, and the classes that they were asked to be of."""
    latent, labels = rules.draw_latent(count, players.random)
    return generated(players, rules, latent, labels), labels


def generated(players: Players, rules: Rules, latent: Tensor, labels: Tensor | None) -> Tensor:
    """Returns the generator's fakes, in the order of their latents; in several slots, neighbours come from different calls."""
    if labels is not None:
        return players.generator(latent, labels)
    if rules.slots == 1:
        return players.generator(latent)
    calls = [players.generator(latent[slot :: rules.slots]) for slot in range(rules.slots)]
    return torch.stack(calls, 1).flatten(0, 1)


def judge(discriminator: nn.Module, shown: Tensor, labels: Tensor | None) -> Tensor:
    """Returns the discriminator's logits in float32, (n,)."""
    logits: Tensor = discriminator(shown) if labels is None else discriminator(shown, labels)
    return logits.float().reshape(-1)


def real_scores(players: Players, rules: Rules, settings: Settings) -> Iterator[Tensor | None]:
    """Yields, for each part of a batch, the logits on reals where the generator's loss looks at them, None where it does not."""
    if not rules.loss.generator_uses_real:
        yield from [None] * rules.accumulate
        return
    for real, labels in parts(rules.draw_real(), rules.accumulate):
        with rules.autocast():
            view = rules.view(real * settings.data_scale + settings.data_offset, settings, players)
            yield judge(players.discriminator, view, labels)


def shown_to_discriminator(players: Players, rules: Rules, settings: Settings, real: Batch, fake: Batch) -> Shown:
    """Returns what the discriminator sees of both batches; where a penalty needs the gradient by an input, that input (as augmented) asks for it."""
    views = {"real": rules.view(real[0], settings, players), "fake": rules.view(fake[0], settings, players)}
    wanted = (
        {name for penalty in rules.penalties for name in penalty.inputs} if due(players, rules, settings) else set()
    )
    return Shown(
        players.discriminator,
        **{name: view.detach().requires_grad_(name in wanted) for name, view in views.items()},
        real_labels=real[1],
        fake_labels=fake[1],
        random=players.noise,
        memory=players.penalty_memory,
        gather=rules.gather,
    )


def due(players: Players, rules: Rules, settings: Settings) -> bool:
    """Whether the penalties count in this step: lazy ones come at every so many steps, and are so many times as strong."""
    return bool(rules.penalties) and settings.gamma > 0 and players.step % rules.penalty_every == 0


def weighted_penalty(rules: Rules, settings: Settings, shown: Shown, logits: tuple[Tensor, Tensor]) -> Tensor:
    """Returns gamma times the sum of the penalties; under mixed precision and compilation they call the discriminator anew."""
    if rules.reuse_logits:
        shown = replace(shown, real_logits=logits[0], fake_logits=logits[1])
    else:
        shown = replace(shown, discriminator=rules.twice_differentiable(shown.discriminator))
    terms = [penalty.value(shown) for penalty in rules.penalties]
    return settings.gamma * rules.penalty_every * (terms[0] if len(terms) == 1 else torch.stack(terms).sum())


@torch.no_grad()
def update_average(players: Players, *, images: int, half_life: float, ramp: float, batch: int) -> None:
    """Moves the generator's moving average on: beta = 0.5^(batch / half-life), the half-life at most `ramp` of the images shown so far.

    A half-life of 0 is no average at all: nothing is done.
    """
    if not half_life:
        return
    life = min(half_life, images * ramp) if ramp > 0 else half_life
    (kept, new), buffers = players.averaged
    torch._foreach_lerp_(kept, new, 1 - 0.5 ** (batch / life))
    for old, value in buffers:
        old.copy_(value)


def set_learning_rates(players: Players, lr_g: float, lr_d: float, penalty_every: int) -> None:
    """Gives both optimizers their rates; with a lazy penalty the discriminator's is scaled as in StyleGAN2."""
    lazy, _ = lazy_rates(lr_d, (0.0, 0.0), penalty_every)
    for optimizer, rate in ((players.generator_optimizer, lr_g), (players.discriminator_optimizer, lazy)):
        for group in optimizer.param_groups:
            if group["lr"] != rate:
                group["lr"] = rate


@contextmanager
def frozen(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Keeps gradients off the parameters that an optimizer moves for a while, and puts back what was trainable."""
    trainable = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


def parts(batch: Batch, count: int) -> list[Batch]:
    """Cuts a batch into equal parts."""
    samples, labels = batch
    return list(zip(samples.chunk(count), [None] * count if labels is None else labels.chunk(count)))


def joined(turns: list[Turn]) -> Turn:
    """Returns one turn of all the parts that a batch was worked off in."""
    if len(turns) == 1:
        return turns[0]
    columns: dict[str, list[Any]] = {
        name: [getattr(turn, name) for turn in turns] for name in Turn.__dataclass_fields__
    }
    means: dict[str, Any] = {
        name: None if columns[name][0] is None else torch.stack(columns[name]).mean() for name in ("loss", "penalty")
    }
    whole: dict[str, Any] = {
        name: None if columns[name][0] is None else torch.cat(columns[name])
        for name in ("real_logits", "fake_logits", "real", "fake")
    }
    return Turn(**means, **whole)
