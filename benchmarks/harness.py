"""A harness step with default recording against a hand-written bare loop of the same networks, and what part of the difference is whose.

    python -m benchmarks.harness                    (a minute of one core: the default recipe, on digits)
    python -m benchmarks.harness dcgan --data mnist:DIR --set generator_width=32 --set discriminator_width=32

Short blocks of steps in turns in one process: the bare loop with torch's default Adam, the same with the fused one that the harness uses, the
harness without a recorder, with minimal and with default recording. Told are the median milliseconds a step and the median of the ratios to the
bare block beside it, of wall time and of the process's CPU time, which a neighbour on the machine disturbs less. Recipes whose game is alternating
and non-saturating with R1 or without penalty can be written down by hand here; others are refused.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.nn.functional import softplus

from gandiag.recording import Recorder
from gandiag.training import effective_config
from gandiag.training.config import Config, split_settings
from gandiag.training.loop import _record
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import Training, prepare
from gandiag.training.step import play, set_learning_rates, update_average

BARE = "bare loop"
WARM = 20  # steps before the first block


def bare(training: Training, *, fused: bool | None = None) -> Callable[[], None]:
    """Returns one step (non-saturating, R1 or no penalty, Adam, moving average) as anybody would write it down."""
    config, players = training.config, training.players
    generator, discriminator = players.generator, players.discriminator
    average = copy.deepcopy(generator)
    betas = (config.beta1, config.beta2)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=config.lr_g, betas=betas, fused=fused)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=config.lr_d, betas=betas, fused=fused)
    images = training.data.samples.float() / 127.5 - 1

    def step() -> None:
        real = images[torch.randint(len(images), (config.batch,))].requires_grad_(bool(config.penalties))
        with torch.no_grad():
            fake = generator(torch.randn(config.batch, config.latent_size))
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        if config.penalties:
            (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
            loss = loss + config.gamma / 2 * gradient.square().flatten(1).sum(1).mean()
        d_optimizer.zero_grad(set_to_none=True)
        loss.backward()
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


def harness(training: Training, recorder: Recorder | None) -> Callable[[], None]:
    """Returns one step of the harness, recorded where there is a recorder."""
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


@contextmanager
def recorded(training: Training, probes: str) -> Iterator[Callable[[], None]]:
    """Gives one step of the harness that is recorded with these probes, in a folder that is removed at the end."""
    players = training.players
    with (
        tempfile.TemporaryDirectory() as folder,
        Recorder(
            Path(folder) / "run",
            generator=players.generator,
            discriminator=players.discriminator,
            generator_optimizer=players.generator_optimizer,
            discriminator_optimizer=players.discriminator_optimizer,
            probes=probes,
        ) as recorder,
    ):
        yield harness(training, recorder)


def milliseconds(step: Callable[[], None], count: int) -> tuple[float, float]:
    """Returns how long so many steps take, in milliseconds a step: by the clock, and of the process's CPU time."""
    began, burned = time.perf_counter(), time.process_time()
    for _ in range(count):
        step()
    return (time.perf_counter() - began) * 1e3 / count, (time.process_time() - burned) * 1e3 / count


def measured(config: Config, *, block: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Returns the milliseconds a step of every block by who played it; they take turns."""
    trainings = [prepare(config) for _ in range(5)]
    with recorded(trainings[3], "minimal") as minimal, recorded(trainings[4], "default") as default:
        steps = {
            BARE: bare(trainings[0]),
            "bare loop, fused Adam": bare(trainings[1], fused=True),
            "harness, nothing recorded": harness(trainings[2], None),
            "harness, minimal recording": minimal,
            "harness, default recording": default,
        }
        for step in steps.values():
            milliseconds(step, WARM)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                found[name].append(milliseconds(step, block))
    return found


def told(blocks: list[tuple[float, float]], beside: list[tuple[float, float]]) -> str:
    """Returns the medians of wall and CPU time and of their ratios to the blocks beside them, with the quartiles of the ratios."""
    texts = []
    for clock, name in enumerate(("wall", "CPU")):
        ratios = [mine[clock] / other[clock] for mine, other in zip(blocks, beside)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        texts.append(
            f"{name} {statistics.median(b[clock] for b in blocks):6.2f} ms x{middle:.3f} ({low:.3f} .. {high:.3f})"
        )
    return "   ".join(texts)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="?", default="mlp")
    parser.add_argument("--data")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--block", type=int, default=10, help="steps in a block")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    flags = {"data": options.data} if options.data else {}
    config, _ = effective_config(options.recipe, flags=flags, settings=split_settings(tuple(options.set)))
    if (config.loss, config.update, config.d_steps) != ("non-saturating", "alternating", 1) or config.penalties not in (
        (),
        ("r1",),
    ):
        raise SystemExit(f"the game of {options.recipe} is not written down by hand here")
    found = measured(config, block=options.block, rounds=options.rounds)
    print(f"{options.recipe} on {config.data}, batch {config.batch}, {torch.get_num_threads()} threads")
    for name, blocks in found.items():
        print(f"{name:28} {told(blocks, found[BARE])}")


if __name__ == "__main__":
    main()
