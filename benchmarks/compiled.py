"""Recipes under torch.compile with its own compiler (inductor): the first step's losses beside those of the same players uncompiled.

    python -m benchmarks.compiled          (some ten minutes of one core, most of it the C++ compiler; recipes that compile alike are played once)
    python -m benchmarks.compiled dcgan sngan

The tests play the same games through `eager` and `aot_eager`, which trace but make no code; this makes it. Ends with 1 where losses differ by more
than one part in a thousand.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import torch

from benchmarks.grid import small
from gandiag.training import RECIPES, Config, effective_config
from gandiag.training.combinations import TWICE
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import prepare
from gandiag.training.step import play

# what is compiled of a recipe: networks and how they are called; learning rates and data are no part of it
PROGRAM = ("generator", "discriminator", "loss", "penalties", "conditional", "pack", "spectral_norm", "augmentation")
TOLERANCE = 1e-3


def programs() -> dict[tuple[object, ...], str]:
    """Returns one recipe for each program that the recipes compile to; updates that differentiate twice refuse compilation."""
    found: dict[tuple[object, ...], str] = {}
    for name in RECIPES:
        config, _ = effective_config(name)
        if config.update not in TWICE:
            points = config.data.partition(":")[0] in ("ring", "grid")
            found.setdefault((points, *(getattr(config, field) for field in PROGRAM)), name)
    return found


def losses(config: Config) -> list[float]:
    """Returns both players' losses in the first step."""
    training = prepare(config)
    turns = play(training.players, training.rules, as_settings(initial_settings(config)), training.update)
    return [float(turn.loss) for turn in turns]


def main() -> None:
    """Plays and prints them one by one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names or list(programs().values())
    apart = []
    for name in names:
        torch._dynamo.reset()
        config, began = small(name, effective_config(name)[0].data), time.perf_counter()
        plain, compiled = losses(config), losses(replace(config, compile=True))
        alike = torch.allclose(torch.tensor(plain), torch.tensor(compiled), rtol=TOLERANCE, atol=TOLERANCE)
        apart += [] if alike else [name]
        print(
            f"{name:24} {plain} compiled {compiled} {'alike' if alike else 'APART'}, {time.perf_counter() - began:.0f} s",
            flush=True,
        )
    print(f"{len(names) - len(apart)} of {len(names)} alike{': ' + ', '.join(apart) + ' are not' if apart else ''}")
    sys.exit(bool(apart))


if __name__ == "__main__":
    main()
