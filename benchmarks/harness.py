"""A harness step with default recording against a hand-written bare loop of the same networks: `python benchmarks/harness.py [--recipe mlp]`.

Blocks of steps A B A B in one process; the ratio of each pair of neighbours, its median and its range.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import softplus

from gandiag.recording import Recorder
from gandiag.training import effective_config
from gandiag.training.loop import _record
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import Training, prepare
from gandiag.training.step import play, set_learning_rates, update_average


def bare(generator: nn.Module, discriminator: nn.Module, training: Training) -> Callable[[], None]:
    """Returns one step of the default recipe (non-saturating, R1, Adam, moving average) as anybody would write it down."""
    config = training.config
    average = copy.deepcopy(generator)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=config.lr_g, betas=(config.beta1, config.beta2))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=config.lr_d, betas=(config.beta1, config.beta2))
    images = training.data.samples.float() / 127.5 - 1

    def step() -> None:
        real = images[torch.randint(len(images), (config.batch,))].requires_grad_(True)
        with torch.no_grad():
            fake = generator(torch.randn(config.batch, config.latent_size))
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
        penalty = config.gamma / 2 * gradient.square().flatten(1).sum(1).mean()
        d_optimizer.zero_grad(set_to_none=True)
        (loss + penalty).backward()
        d_optimizer.step()
        discriminator.requires_grad_(False)
        g_loss = softplus(-discriminator(generator(torch.randn(config.batch, config.latent_size)))).mean()
        g_optimizer.zero_grad(set_to_none=True)
        g_loss.backward()
        g_optimizer.step()
        discriminator.requires_grad_(True)
        with torch.no_grad():
            for kept, new in zip(average.parameters(), generator.parameters()):
                kept.lerp_(new, 0.002)

    return step


def recorded(training: Training, recorder: Recorder) -> Callable[[], None]:
    """Returns one step of the harness, recorded."""
    config, players = training.config, training.players
    settings = as_settings(initial_settings(config))

    def step() -> None:
        set_learning_rates(players, settings.lr_g, settings.lr_d, config.penalty_every)
        _record(training, recorder, *play(players, training.rules, settings, training.update))
        players.step += 1
        update_average(
            players,
            images=players.step * config.batch,
            half_life=config.ema_images,
            ramp=config.ema_ramp,
            batch=config.batch,
        )

    return step


def seconds(step: Callable[[], None], count: int) -> float:
    """Returns how long so many steps take, in seconds a step."""
    began = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - began) / count


def main() -> None:
    """Prints both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--block", type=int, default=100, help="steps in a block")
    parser.add_argument("--pairs", type=int, default=15)
    options = parser.parse_args()
    config, _ = effective_config("mlp")
    training, other = prepare(config), prepare(config)
    players = training.players
    with (
        tempfile.TemporaryDirectory() as folder,
        Recorder(
            Path(folder) / "run",
            generator=players.generator,
            discriminator=players.discriminator,
            generator_optimizer=players.generator_optimizer,
            discriminator_optimizer=players.discriminator_optimizer,
        ) as recorder,
    ):
        ours, theirs = recorded(training, recorder), bare(other.players.generator, other.players.discriminator, other)
        seconds(ours, options.block), seconds(theirs, options.block)
        pairs = [(seconds(ours, options.block), seconds(theirs, options.block)) for _ in range(options.pairs)]
    ratios = sorted(a / b for a, b in pairs)
    ours_ms, theirs_ms = (statistics.median(pair[i] for pair in pairs) * 1e3 for i in (0, 1))
    print(f"harness with recording {ours_ms:.2f} ms, bare {theirs_ms:.2f} ms a step")
    print(f"ratio: median {statistics.median(ratios):.3f}, range {ratios[0]:.3f} .. {ratios[-1]:.3f}")


if __name__ == "__main__":
    main()
