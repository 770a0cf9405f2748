"""Random habits: sound trainings with what people add to them, drawn by chance, and how often the diagnosis calls one of them sick.

    python -m benchmarks.random_habits play DIR --count 60 --seed 1 [--faults 0.5]      (about twenty seconds of a core each)
    python -m benchmarks.random_habits judge DIR [--all]                                 (seconds; --all lists every game)

Every game is a usual one (a loss, a remedy that goes with it, rates that work) and has two to six habits: schedules, noise, accumulated
gradients, pools of fakes, averages, checkpoints that are loaded again, validation on the way, swapped labels, joined batches and so on. None of
them is a fault; a share of the games, `--faults`, has one of those of `benchmarks/random_games.py` as well. What is well the known law of the
data says; games without a fault that did not come out well, and those with one that did, are left out, and counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.random_games import FAULTS
from benchmarks.random_habits_play import Game, Training
from benchmarks.random_world import BAD, DATA, WELL, Data, discriminator, generator, shapes
from gandiag.diagnosis import Verdict, diagnose

# at most one of each line is drawn
HABITS = (
    ("cosine schedule", "linear decay", "warm-up", "rate in steps", "warm restarts"),
    ("average of G",),
    ("fading noise", "steady noise", "jitter of both", "augmented pairs"),
    ("smooth labels", "flipped labels", "swapped labels"),
    ("accumulation",),
    ("clipped norms",),
    ("D first alone", "many D steps at first"),
    ("two G steps", "three D steps"),
    ("pool of fakes",),
    ("own units",),
    ("validation", "checkpoint loaded", "fresh D once", "fresh optimizers"),
    ("joined batch", "frozen D in G's turn", "undetached fakes"),
    ("epochs", "small data, augmented"),
    ("matched features", "diversity term"),
    ("uniform latents", "sphere latents"),
    ("growing batch",),
    ("D waits while it wins", "G waits while it loses"),
    ("small weights", "orthogonal weights"),
    ("probabilities",),
)


# of the faults of random games, those that can be brought into any of these
DRAWN = (
    "fast generator", "fast discriminator", "slow generator", "slow discriminator", "frozen discriminator", "detached fakes", "fakes called real",
    "gradients never cleared", "data out of range", "one batch", "few samples", "heavy penalty", "weight decay", "rate runs away", "noise on reals",
    "ascending generator", "started anew", "collapse by a loss", "rate fades",
)  # fmt: skip
RATES = {
    "fast generator": (100.0, 1.0),
    "fast discriminator": (1.0, 300.0),
    "slow generator": (1e-3, 1.0),
    "slow discriminator": (1.0, 1e-3),
    "frozen discriminator": (1.0, 0.0),
}


def draw(seed: int, faults: float = 0.0) -> tuple[Game, Data, nn.Module, nn.Module]:
    """Draws a game; the same with a fault and without."""
    chance = random.Random(f"habits {seed}")
    torch.manual_seed(seed)
    loss, remedy = chance.choice(
        [
            ("logistic", "r1"),
            ("logistic", "r1"),
            ("logistic", "none"),
            ("least squares", "none"),
            ("least squares", "r1"),
            ("hinge", "spectral norm"),
            ("hinge", "r1"),
            ("critic", "gp"),
            ("relativistic", "r1 r2"),
            ("relativistic average", "r1"),
        ]
    )
    rate = 10 ** chance.uniform(-3.2, -2.7)
    lines = chance.sample(HABITS, chance.randint(2, 6))
    habits = [chance.choice(line) for line in lines]
    if loss != "logistic":
        habits = [h for h in habits if h not in ("smooth labels", "flipped labels", "probabilities")]
    if loss in ("critic", "relativistic", "relativistic average"):
        habits = [h for h in habits if h != "swapped labels"]
    if loss.startswith("relativistic"):
        habits = [h for h in habits if h not in ("D waits while it wins", "G waits while it loses")]
    if remedy not in ("none", "spectral norm") or loss.startswith("relativistic"):
        habits = [h for h in habits if h != "joined batch"]
    game = Game(
        seed,
        loss,
        remedy,
        optimizer=chance.choice(["adam", "adam", "adam", "rmsprop", "adamw", "nadam"]),
        betas=chance.choice([(0.0, 0.9), (0.0, 0.99), (0.5, 0.999), (0.5, 0.9)]),
        lr_g=rate,
        lr_d=rate * chance.choice([1.0, 1.0, 2.0, 4.0]),
        batch=chance.choice([32, 64, 64, 128]),
        steps=chance.choice([2000, 3000, 4000]),
        latent=chance.choice([4, 8, 16, 32]),
        record=chance.choice(["lines", "automatic"]),
        habits=sorted(habits),
    )
    if "three D steps" in habits or loss == "critic":
        game.steps //= 2
    fate = random.Random(f"fault {seed}")
    if fate.random() < faults:
        game.fault = fate.choice(DRAWN)
        rates = RATES.get(game.fault, (1.0, 1.0))
        game.lr_g, game.lr_d = game.lr_g * rates[0], game.lr_d * rates[1]
    data = chance.choice([law for law in DATA if law is not shapes])(chance)  # which take their time
    game.data = data.name
    g, d = generator(chance, data, game.latent), discriminator(chance, data, batch_norm=False)
    if remedy == "spectral norm":
        for module in d.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)) and not hasattr(module, "parametrizations"):
                nn.utils.parametrizations.spectral_norm(module)
    torch.manual_seed(seed)
    return game, data, g, d


def play(folder: Path, seed: int, faults: float = 0.0) -> str:
    """Plays one game into its folder; returns what to print of it."""
    torch.set_num_threads(1)
    random.seed(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.perf_counter()
    game, data, g, d = draw(seed, faults)
    samples = Training(game, data, g, d, folder / "run").play()
    torch.manual_seed(seed)
    badness = data.measure(samples)
    np.save(folder / "samples.npy", samples.numpy().astype(np.float32))
    told = {**asdict(game), "badness": badness, "networks": [str(g), str(d)]}
    (folder / "game.json").write_text(json.dumps(told), encoding="utf-8")
    about = f"{seed} {game.data}, {game.loss}, {', '.join(game.habits)}, {game.fault or 'no fault'}"
    return f"{about}: {badness:.2f} in {time.perf_counter() - began:.1f} s"


def judge(folder: Path) -> tuple[str, str] | None:
    """Judges one game: what it counts as, and a line; None where it is left out."""
    game = json.loads((folder / "game.json").read_text(encoding="utf-8"))
    fault = game.get("fault", "")
    if not (game["badness"] > BAD if fault else game["badness"] < WELL):
        return None
    told = diagnose(folder / "run")
    failed = [f for f in told.illnesses if f.verdict is Verdict.FAILED]
    first = next(iter(failed or told.illnesses), None)
    kind = "ALARM" if failed else "suspect" if told.illnesses else "well"
    if fault:
        kind = "MISSED" if not failed else "right" if failed[0].check in FAULTS[fault] else "wrong"
    said = (
        told.verdict.value
        if first is None
        else f"{first.check} ({first.kind}) since {first.onset}: {first.claim[:200]}"
    )
    about = f"{game['data']}, {game['loss']} {game['remedy']} {game['optimizer']} b{game['batch']} {game['steps']} steps, {game['record']}"
    named = f"[{fault or '-'}; {', '.join(game['habits'])}]"
    return kind, f"{kind:7s} {folder.name} {named} badness {game['badness']:.2f}; {about}\n          {said}"


def main() -> None:
    """Plays or judges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("play", "judge"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="another one, other games")
    parser.add_argument("--faults", type=float, default=0.0, help="the share of the games that have one")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    parser.add_argument("--all", action="store_true", help="list also what was judged rightly")
    options = parser.parse_args()
    if options.what == "play":
        seeds = [options.seed * 100_000 + i for i in range(options.count)]
        left = [s for s in seeds if not (options.folder / str(s) / "game.json").exists()]
        with ProcessPoolExecutor(options.processes) as pool:
            for line in pool.map(play, [options.folder / str(s) for s in left], left, [options.faults] * len(left)):
                print(line, flush=True)
        return
    paths = sorted(options.folder.glob("*/game.json"))
    found = [judged for path in paths if (judged := judge(path.parent))]
    for kind, line in found:
        if options.all or kind not in ("well", "right"):
            print(line)
    count = Counter(kind for kind, _ in found)
    healthy, sick = (
        sum(count[k] for k in kinds) for kinds in (("well", "suspect", "ALARM"), ("right", "wrong", "MISSED"))
    )
    print(
        f"{len(paths)} games, {len(found)} judged. {healthy} healthy: FAILED {count['ALARM']}, suspected {count['suspect']}; "
        f"{sick} sick: found {sick - count['MISSED']}, right cause first {count['right']}"
    )


if __name__ == "__main__":
    main()
