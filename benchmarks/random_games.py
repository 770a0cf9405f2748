"""Random games: trainings drawn at random, data, networks, losses, optimizers and faults, and what the diagnosis makes of them.

    python -m benchmarks.random_games play DIR --count 100 --seed 1 [--processes 2]     (about six seconds of a core each)
    python -m benchmarks.random_games judge DIR [--all]                                  (seconds; --all lists every game)

The 139 configurations of `benchmarks/diagnosis.py` were written one by one; here nobody chose what meets what. A game's label comes from
the known law of its data: well, not well, or in between, which counts as neither. A game that was given a fault and is well all the same is
left out; one without a fault that is not well (undertrained, as often as not) is counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.random_world import BAD, DATA, WELL, Data, discriminator, generator
from gandiag.diagnosis import Verdict, diagnose
from gandiag.recording import Recorder

SAMPLES = 2000  # that are measured at the end

# a fault's name: the checks that name it rightly
FAULTS: dict[str, tuple[str, ...]] = {
    "fast generator": ("learning_rate", "divergence", "oscillation", "mode_collapse", "numerical_failure"),
    "fast discriminator": (
        "learning_rate",
        "divergence",
        "discriminator_dominance",
        "numerical_failure",
        "dead_layers",
    ),
    "slow generator": ("learning_rate", "stagnation", "discriminator_dominance"),
    "slow discriminator": ("learning_rate", "discriminator_weakness"),
    "frozen discriminator": ("discriminator_weakness", "objective_fault", "learning_rate"),
    "frozen generator": ("stagnation", "objective_fault", "learning_rate", "vanishing_generator_gradient"),
    "detached fakes": ("objective_fault", "vanishing_generator_gradient", "stagnation"),
    "fakes called real": ("objective_fault", "discriminator_weakness"),
    "cooperative": ("objective_fault",),
    "double sigmoid": ("objective_fault", "vanishing_generator_gradient"),
    "gradients never cleared": ("objective_fault", "divergence", "learning_rate"),
    "tiny discriminator": ("discriminator_weakness",),
    "data out of range": ("data_mismatch",),
    "one batch": ("data_mismatch", "discriminator_overfitting", "memorisation"),
    "few samples": ("discriminator_overfitting", "memorisation", "data_mismatch"),
    "one latent": ("data_mismatch", "mode_collapse", "objective_fault"),
    "heavy penalty": ("discriminator_weakness", "stagnation", "learning_rate"),
    "clipped gradients": ("learning_rate", "stagnation", "discriminator_weakness", "discriminator_dominance"),
    "weight decay": ("objective_fault", "discriminator_weakness", "mode_collapse", "learning_rate", "dead_layers"),
    "exploding start": (
        "divergence",
        "learning_rate",
        "dead_layers",
        "vanishing_generator_gradient",
        "discriminator_dominance",
    ),
    "dead start": ("dead_layers", "vanishing_generator_gradient"),
    "rate runs away": ("learning_rate", "divergence", "numerical_failure", "mode_collapse"),
    "not a number": ("numerical_failure",),
    "noise on reals": ("data_mismatch",),
    "ascending generator": ("objective_fault",),
    "started anew": ("objective_fault", "mode_collapse", "divergence", "data_mismatch"),
    "collapse by a loss": ("mode_collapse", "objective_fault"),
    "many generator steps": ("mode_collapse", "discriminator_weakness", "oscillation"),
    "rate fades": ("learning_rate", "stagnation", "objective_fault"),
}


@dataclass
class Game:
    """What was drawn."""

    seed: int
    fault: str
    loss: str
    penalty: str
    optimizer: str
    betas: tuple[float, float]
    lr_g: float
    lr_d: float
    batch: int
    d_steps: int
    steps: int
    latent: int
    generator_first: bool
    record: str
    smoothing: float
    data: str = ""


def draw(seed: int) -> tuple[Game, Data, nn.Module, nn.Module, random.Random]:
    """Draws a game."""
    chance = random.Random(f"game {seed}")
    torch.manual_seed(seed)
    loss = chance.choice(
        ["ns", "ns", "ns", "minimax", "least squares", "hinge", "wgan-gp", "wgan-clip", "relativistic"]
    )
    fault = chance.choice(sorted(FAULTS)) if chance.random() < 0.55 else ""
    rate = 10 ** chance.uniform(-3.5, -2.6)
    game = Game(
        seed,
        fault,
        loss,
        penalty="gp" if loss == "wgan-gp" else "r1" if loss == "relativistic" or chance.random() < 0.25 else "",
        optimizer="rmsprop" if loss == "wgan-clip" else chance.choice(["adam", "adam", "adam", "adamw", "rmsprop"]),
        betas=chance.choice([(0.0, 0.9), (0.0, 0.99), (0.5, 0.999), (0.5, 0.99), (0.9, 0.999)]),
        lr_g=rate,
        lr_d=rate * chance.choice([0.5, 1.0, 1.0, 1.0, 2.0, 3.0]),
        batch=chance.choice([16, 32, 64, 64, 128]),
        d_steps=chance.choice([1, 1, 1, 2]) if not loss.startswith("wgan") else chance.choice([3, 5]),
        steps=chance.choice([1000, 1500, 2000, 3000]),
        latent=chance.choice([2, 4, 8, 16, 32, 64]),
        generator_first=chance.random() < 0.2,
        record=chance.choice(["lines", "automatic"]),
        smoothing=0.1 if chance.random() < 0.1 and loss in ("ns", "minimax") else 0.0,
    )
    data = chance.choice(DATA)(chance)
    game.data = data.name
    if game.d_steps > 1:
        game.steps = game.steps * 2 // (1 + game.d_steps)
    g, d = generator(chance, data, game.latent), discriminator(chance, data, batch_norm=not game.penalty)
    if fault == "tiny discriminator":
        d = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(data.shape)), 1))
    torch.manual_seed(seed)
    return game, data, g, d, chance


def losses(game: Game, real: Tensor, fake: Tensor) -> Tensor:
    """Returns D's loss."""
    if game.fault == "double sigmoid":
        real, fake = torch.sigmoid(real), torch.sigmoid(fake)
    if game.loss.startswith("wgan"):
        return fake.mean() - real.mean()
    if game.loss == "least squares":
        return ((real - 1) ** 2).mean() + (fake**2).mean()
    if game.loss == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if game.loss == "relativistic":
        return F.softplus(fake - real).mean()
    ones = torch.full_like(real, 1 - game.smoothing)
    return F.binary_cross_entropy_with_logits(real, ones) + F.softplus(fake).mean()


def generator_loss(game: Game, fake: Tensor, real: Tensor) -> Tensor:
    """Returns G's loss."""
    if game.fault == "double sigmoid":
        fake = torch.sigmoid(fake)
    if game.loss.startswith("wgan") or game.loss == "hinge":
        return -fake.mean()
    if game.loss == "least squares":
        return ((fake - 1) ** 2).mean()
    if game.loss == "relativistic":
        return F.softplus(real.detach() - fake).mean()
    if game.loss == "minimax":
        return -F.softplus(fake).mean()
    return F.softplus(-fake).mean()


def penalty(game: Game, d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Returns R1, or WGAN-GP's."""
    if game.penalty == "gp":
        share = torch.rand(len(real), *[1] * (real.dim() - 1))
        at = (share * real + (1 - share) * fake).requires_grad_()
    else:
        at = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(d(at).sum(), at, create_graph=True)
    size = slope.flatten(1).pow(2).sum(1)
    weight = 1000.0 if game.fault == "heavy penalty" else 1.0
    return weight * (10 * ((size + 1e-12).sqrt() - 1).pow(2).mean() if game.penalty == "gp" else 0.3 * size.mean())


def optimizer_of(game: Game, parameters: Any, rate: float, decay: float) -> torch.optim.Optimizer:
    """Makes a player's optimizer."""
    if game.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, rate, weight_decay=decay)
    kind = torch.optim.AdamW if game.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, rate, betas=game.betas, weight_decay=decay * (100 if game.optimizer == "adamw" else 1))


def _prepare(game: Game, g: nn.Module, d: nn.Module) -> None:
    """Brings in what a fault changes before the first step."""
    if game.fault == "exploding start":
        with torch.no_grad():
            for net in (g, d):
                for module in net.modules():
                    if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                        module.weight.mul_(8.0)
    if game.fault == "dead start":
        with torch.no_grad():
            for module in list(g.modules()):
                if isinstance(module, nn.Linear) and module.out_features > 8:
                    module.bias.fill_(-30.0)
    rates = {
        "fast generator": (100.0, 1.0),
        "fast discriminator": (1.0, 300.0),
        "slow generator": (1e-3, 1.0),
        "slow discriminator": (1.0, 1e-3),
        "frozen discriminator": (1.0, 0.0),
        "frozen generator": (0.0, 1.0),
    }.get(game.fault, (1.0, 1.0))
    game.lr_g, game.lr_d = game.lr_g * rates[0], game.lr_d * rates[1]


class Reals:
    """Batches of the data, as a fault leaves them."""

    def __init__(self, game: Game, data: Data) -> None:
        self.game, self.data = game, data
        self.kept = {"one batch": data.draw(game.batch), "few samples": data.draw(24)}.get(game.fault)

    def batch(self, step: int) -> Tensor:
        """Returns the next one."""
        game = self.game
        real = self.data.draw(game.batch)
        if self.kept is not None:
            real = (
                self.kept[torch.randint(0, len(self.kept), (game.batch,))] if game.fault == "few samples" else self.kept
            )
        if game.fault == "data out of range":
            real = (real + 1) * 127.5 if self.data.bounded else 40 * real + 100
        if game.fault == "noise on reals":
            real = real + 0.5 * real.std() * torch.randn_like(real)
        if game.fault == "not a number" and step == game.steps // 2:
            real[0] = float("nan")
        return real


def train(game: Game, data: Data, g: nn.Module, d: nn.Module, path: Path) -> Tensor:
    """Plays the game, recorded; returns samples of the end."""
    _prepare(game, g, d)
    decay = 0.3 if game.fault == "weight decay" else 0.0
    g_opt, d_opt = (
        optimizer_of(game, g.parameters(), game.lr_g, decay),
        optimizer_of(game, d.parameters(), game.lr_d, decay),
    )
    recorder = Recorder(
        path,
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        automatic=game.record == "automatic",
    )
    reals, same = Reals(game, data), torch.randn(1, game.latent)

    def latents() -> Tensor:
        z = torch.randn(game.batch, game.latent)
        return same.expand(game.batch, -1) + 0.01 * z if game.fault == "one latent" else z

    def clear(optimizer: torch.optim.Optimizer) -> None:
        if game.fault != "gradients never cleared":
            optimizer.zero_grad()

    def update_d(step: int) -> Tensor:
        real, fake = reals.batch(step), g(latents()).detach()
        loss = losses(game, d(real), -d(fake) if game.fault == "fakes called real" else d(fake))
        if game.penalty or game.fault == "heavy penalty":
            loss = loss + penalty(game, d, real, fake)
        clear(d_opt)
        loss.backward()
        if game.fault == "clipped gradients":
            nn.utils.clip_grad_value_(d.parameters(), 1e-12)
        d_opt.step()
        if game.loss == "wgan-clip":
            with torch.no_grad():
                for p in d.parameters():
                    p.clamp_(-0.03, 0.03)
        return loss

    def update_g(step: int) -> Tensor:
        fake = g(latents())
        if game.fault == "detached fakes":
            fake = fake.detach().requires_grad_()
        with torch.no_grad():
            scores = d(reals.batch(-1)) if game.loss == "relativistic" else None
        verdict = d(fake)
        loss = generator_loss(game, verdict, verdict if scores is None else scores)
        if game.fault in ("cooperative", "ascending generator"):
            loss = -loss
        if game.fault == "collapse by a loss":
            loss = loss + 20 * (fake - fake.mean(0, keepdim=True).detach()).pow(2).mean()
        clear(g_opt)
        loss.backward()
        g_opt.step()
        return loss

    for step in range(game.steps):
        if game.fault == "rate runs away" and step > game.steps // 2:
            for group in (*g_opt.param_groups, *d_opt.param_groups):
                group["lr"] *= 1 + 12 / game.steps
        if game.fault == "rate fades":
            for group in g_opt.param_groups:
                group["lr"] = game.lr_g * 0.97**step
        if game.fault == "started anew" and step == game.steps * 9 // 10:
            for module in g.modules():
                if hasattr(module, "reset_parameters"):
                    module.reset_parameters()
        turns: list[Callable[[int], Tensor]] = [update_d] * game.d_steps
        many = 15 if game.fault == "many generator steps" else 1
        turns = [update_g] * many + turns if game.generator_first else turns + [update_g] * many
        said = {turn.__name__: turn(step) for turn in turns}
        if game.record == "lines":
            recorder.step(d_loss=said["update_d"], g_loss=said["update_g"])
    recorder.close()
    g.eval()
    with torch.no_grad():
        return g(torch.randn(SAMPLES, game.latent))


def play(folder: Path, seed: int) -> str:
    """Plays one game into its folder; returns what to print of it."""
    torch.set_num_threads(1)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.perf_counter()
    game, data, g, d, _ = draw(seed)
    samples = train(game, data, g, d, folder / "run")
    torch.manual_seed(seed)
    badness = data.measure(samples)
    told = {**asdict(game), "badness": badness, "networks": [str(g), str(d)]}
    np.save(folder / "samples.npy", samples.numpy().astype(np.float32))
    (folder / "game.json").write_text(json.dumps(told), encoding="utf-8")
    return f"{seed} {game.data}, {game.loss}, {game.fault or 'no fault'}: {badness:.2f} in {time.perf_counter() - began:.1f} s"


def judge(folder: Path) -> tuple[str, str] | None:
    """Judges one game: what kind it counts as, and a line; None where it is left out."""
    game = json.loads((folder / "game.json").read_text(encoding="utf-8"))
    sick, well = game["badness"] > BAD, game["badness"] < WELL
    if not (sick or well) or (well and game["fault"]):
        return None
    told = diagnose(folder / "run")
    failed = [f for f in told.illnesses if f.verdict is Verdict.FAILED]
    first = (failed or list(told.illnesses) or [None])[0]
    causes = FAULTS.get(game["fault"], ())
    kind = ("found" if failed else "missed") if sick else ("alarm" if failed else "well")
    if kind == "found" and game["fault"]:
        kind = "right" if failed[0].check in causes else "wrong"
    elif sick and not game["fault"]:
        kind = f"{kind} itself"
    said = (
        told.verdict.value
        if first is None
        else f"{first.check} ({first.kind}) since {first.onset}: {first.claim[:150]}"
    )
    about = f"{game['data']}, {game['loss']} {game['penalty']} b{game['batch']} {game['steps']} steps, {game['record']}"
    line = f"{kind:7s} {folder.name} [{game['fault'] or '-'}] badness {game['badness']:.2f}; {about}\n          {said}"
    return kind, line


def main() -> None:
    """Plays or judges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("play", "judge"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="another one, other games")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    parser.add_argument("--all", action="store_true", help="list also what was judged rightly")
    options = parser.parse_args()
    if options.what == "play":
        seeds = [options.seed * 100_000 + i for i in range(options.count)]
        left = [s for s in seeds if not (options.folder / str(s) / "game.json").exists()]
        with ProcessPoolExecutor(options.processes) as pool:
            for line in pool.map(play, [options.folder / str(s) for s in left], left):
                print(line, flush=True)
        return
    found = [judged for path in sorted(options.folder.glob("*/game.json")) if (judged := judge(path.parent))]
    for kind, line in found:
        if options.all or kind not in ("right", "well"):
            print(line)
    count = Counter(kind for kind, _ in found)
    faulty, sick = count["right"] + count["wrong"], count["right"] + count["wrong"] + count["missed"]
    alone = count["found itself"] + count["missed itself"]
    print(
        f"sick by a fault {sick}: found {faulty}, right cause first {count['right']}; not well by themselves {alone}: found "
        f"{count['found itself']}; healthy {count['well'] + count['alarm']}: FAILED {count['alarm']}"
    )


if __name__ == "__main__":
    sys.exit(main())
