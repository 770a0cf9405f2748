"""Trains the configurations of the diagnosis benchmark in a loop of its own, records them, and has them looked at from outside.

The recorded evaluations use other latents than the outside view and, on digits, other features.
"""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis_case import Case
from benchmarks.diagnosis_evaluations import evaluate, keep_samples
from benchmarks.diagnosis_labels import IMAGES, Labels, latents, told
from benchmarks.diagnosis_world import Source, players, squashed

LABEL_EVERY = 50
EVALUATE_EVERY = 100


# ------------------------------------------------------------------------------------------------------------------ losses


def discriminator_loss(case: Case, real: Tensor, fake: Tensor) -> Tensor:
    """Returns what D minimises, for the outputs of its last layer."""
    match case.loss:
        case "non-saturating" | "minimax":
            if case.sigmoid:
                return -(torch.log(real + 1e-7).mean() + torch.log(1 - fake + 1e-7).mean())
            return F.softplus(-real).mean() + F.softplus(fake).mean()
        case "smooth":
            return (0.9 * F.softplus(-real) + 0.1 * F.softplus(real)).mean() + F.softplus(fake).mean()
        case "flipped":
            return F.softplus(real).mean() + F.softplus(-fake).mean()
        case "double-sigmoid":
            return F.softplus(-real).mean() + F.softplus(fake).mean()
        case "all-real":
            return F.softplus(-real).mean() + F.softplus(-fake).mean()
        case "hinge":
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        case "least-squares":
            return 0.5 * (((real - 1) ** 2).mean() + (fake**2).mean())
        case "wasserstein":
            return fake.mean() - real.mean()
        case "relativistic":
            return F.softplus(fake - real).mean()
        case "fault-unbounded":
            return (torch.log(2 - real) + torch.log(1 - fake)).mean()
        case "fault-cooperative":
            return (torch.log(real) + torch.log(1 - fake)).mean()
        case "fault-shared":
            return shared(real, fake)
        case "fault-saturated":
            return (real + fake).mean()
    raise ValueError(case.loss)


def generator_loss(case: Case, real: Tensor, fake: Tensor) -> Tensor:
    """Returns what G minimises, for the outputs of D's last layer."""
    match case.loss:
        case "non-saturating":
            return -torch.log(fake + 1e-7).mean() if case.sigmoid else F.softplus(-fake).mean()
        case "double-sigmoid" | "all-real" | "smooth":
            return F.softplus(-fake).mean()
        case "minimax":
            return -F.softplus(fake).mean()
        case "flipped":
            return F.softplus(fake).mean()
        case "hinge" | "wasserstein" | "fault-cooperative" | "fault-saturated":
            return -fake.mean()
        case "least-squares":
            return 0.5 * ((fake - 1) ** 2).mean()
        case "relativistic":
            return F.softplus(real.detach() - fake).mean()
        case "fault-unbounded":
            return torch.log(2 - fake).mean()
        case "fault-shared":
            return shared(real.detach(), fake)
    raise ValueError(case.loss)


def shared(real: Tensor, fake: Tensor) -> Tensor:
    """The sum of cross-entropies that both nets minimise in fault 3, on values that a sigmoid has squashed already."""
    real, fake = torch.sigmoid(real), torch.sigmoid(fake)
    return F.binary_cross_entropy_with_logits(real, torch.ones_like(real)) + F.binary_cross_entropy_with_logits(
        fake, torch.zeros_like(fake)
    )


def penalty(case: Case, d: nn.Module, real: Tensor, fake: Tensor) -> Tensor | None:
    """Returns R1 + R2 + WGAN-GP, weighted; None where there is none."""
    total: Tensor | None = None
    for weight, at in ((case.r1, real), (case.r2, fake)):
        if weight:
            at = at.detach().clone().requires_grad_()
            slope = torch.autograd.grad(d(at).sum(), at, create_graph=True)[0].flatten(1).square().sum(1)
            total = weight / 2 * slope.mean() + (0 if total is None else total)
    if case.gp:
        mix = torch.rand(len(real), *[1] * (real.dim() - 1))
        at = (mix * real + (1 - mix) * fake).detach().requires_grad_()
        slope = torch.autograd.grad(d(at).sum(), at, create_graph=True)[0].flatten(1).norm(dim=1)
        total = case.gp * ((slope - 1) ** 2).mean() + (0 if total is None else total)
    return total


# -------------------------------------------------------------------------------------------------------------------- loop


def play(case: Case, seed: int, out: Path, recorder_class: Any) -> None:
    """Trains and records one case; writes out/run and out/label.json."""
    torch.manual_seed(seed)
    source = Source(case, torch.Generator().manual_seed(seed + 1))
    g, d = players(case)
    ema = copy.deepcopy(g)
    d_opt, g_opt = optimizers(case, g, d)
    labels = Labels(case, seed)
    start = case
    for _ in range(case.before):
        one_step(case, 0.0, source, g, d, g_opt, d_opt)
    with recorder_class(
        out / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        discriminator_output="probability" if squashed(case) and case.loss != "double-sigmoid" else "logit",
        about=about(case, seed),
    ) as recorder:
        for step in range(case.steps):
            if step in case.changes:
                case = changed(case, step, d)
                source.case = case
            set_rates(case, start, step, g_opt, d_opt)
            recorder.step(**one_step(case, step / case.steps, source, g, d, g_opt, d_opt))
            with torch.no_grad():
                for slow, fast in zip(ema.parameters(), g.parameters()):
                    slow.lerp_(fast, 0.02)
            keep_samples(case, step, g, source, recorder)
            if case.scale in ("bgr", "channels-last"):
                continue  # faults of the data are labels by themselves
            shipped = g if case.nets == "conv" else ema
            if (step + 1) % LABEL_EVERY == 0:
                labels.look(case, step, g, shipped)
            if (step + 1) % EVALUATE_EVERY == 0:
                evaluate(case, seed, step, shipped, d, source, recorder)
    (out / "label.json").write_text(json.dumps(labels.told()))


def optimizers(case: Case, g: nn.Module, d: nn.Module) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Returns D's optimizer and G's, which are one where that is the fault."""
    one = case.fault == "one-optimizer"
    d_opt = torch.optim.Adam([*d.parameters(), *(g.parameters() if one else [])], lr=case.lr_d, betas=case.betas)
    if one:
        return d_opt, d_opt
    if case.optimizer_g == "sgd":
        return d_opt, torch.optim.SGD(g.parameters(), lr=case.lr_g)
    if case.optimizer_g == "rmsprop":
        return d_opt, torch.optim.RMSprop(g.parameters(), lr=case.lr_g)
    return d_opt, torch.optim.Adam(g.parameters(), lr=case.lr_g, betas=case.betas)


def changed(case: Case, step: int, d: nn.Module) -> Case:
    """Returns the case as it goes on from this step; a poison is a NaN in D's first weight."""
    new = dict(case.changes[step])
    if new.pop("poison", None):
        with torch.no_grad():
            next(iter(d.parameters()))[0, 0] = float("nan")
    return replace(case, **new)


def set_rates(case: Case, start: Case, step: int, g_opt: torch.optim.Optimizer, d_opt: torch.optim.Optimizer) -> None:
    """Gives the optimizers their rates at a step."""
    done = step / case.steps
    scheduled = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "warm-up": min(1.0, 4 * done + 1 / case.steps)}
    for who, option in (("lr_d", d_opt), ("lr_g", g_opt)):
        factor = scheduled.get(case.schedule, 1.0) * start.ramp.get(who, 1.0) ** done
        for group in option.param_groups:
            group["lr"] = getattr(case, who) * factor


def one_step(
    case: Case, done: float, source: Source, g: nn.Module, d: nn.Module, g_opt: Any, d_opt: Any
) -> dict[str, Any]:
    """Plays one step: D's updates, then G's; `done` is the share of the run that lies behind."""
    clears = case.fault not in ("no-zero-grad", "no-detach")
    if case.fault == "no-detach":
        g_opt.zero_grad()  # before D's step, whose gradients then reach G
    for _ in range(case.d_steps):
        real = source.batch()
        z, classes = latents(case, len(real))
        fake = g(z)
        fake = fake if case.fault in ("one-optimizer", "no-detach") else fake.detach()
        if clears or case.fault == "no-detach":
            d_opt.zero_grad()
        shown, made = (
            told(blurred(x, case.noise * (1 - done)), y) for x, y in ((real, source.classes), (fake, classes))
        )
        real_out, fake_out = d(shown), d(made)
        d_loss = discriminator_loss(case, real_out, fake_out)
        extra = penalty(case, d, shown, made)
        (d_loss if extra is None else d_loss + extra).backward()
        clip_and_step(case, d, d_opt)
        if case.clip:
            with torch.no_grad():
                for p in d.parameters():
                    p.clamp_(-case.clip, case.clip)
    for _ in range(case.g_steps):
        z, classes = latents(case, case.batch)
        new = g(z)
        new = new.detach().requires_grad_() if case.fault == "detached" else new
        if clears:
            g_opt.zero_grad()
        new_out = d(told(blurred(new, case.noise * (1 - done)), classes))
        g_loss = generator_loss(case, d(shown) if case.loss in ("relativistic", "fault-shared") else real_out, new_out)
        (-g_loss if case.fault == "sign" else g_loss).backward()
        clip_and_step(case, g, g_opt)
    return {
        "real_logits": real_out.flatten(),
        "fake_logits": fake_out.flatten(),
        "d_loss": d_loss,
        "g_loss": g_loss,
        "real": real,
        "fake": fake,
        "d_penalty": extra,
    }


def blurred(x: Tensor, sd: float) -> Tensor:
    """Returns a batch with instance noise."""
    return x + sd * torch.randn_like(x) if sd else x


def clip_and_step(case: Case, player: nn.Module, optimizer: Any) -> None:
    """Updates a player."""
    if case.clip_norm:
        nn.utils.clip_grad_norm_(player.parameters(), case.clip_norm)
    optimizer.step()


def about(case: Case, seed: int) -> dict[str, Any]:
    """run.json as a stranger's loop would give it: data and seed, but neither the loss nor what was injected."""
    return {
        "seed": seed,
        "steps_planned": case.steps,
        "data": {"name": case.data, "kind": "images" if case.data in IMAGES else "points"},
    }
