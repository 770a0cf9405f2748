"""Trains the configurations of the diagnosis benchmark in a loop of its own, records them, and labels them by what the checks never read.

The label comes from the known mixture (2500 fresh samples) or, on digits, from a nearest-neighbour classifier on held-out images; the
recorded evaluations use other latents and, on digits, other features.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis_cases import Case
from benchmarks.diagnosis_world import Source, centres, digits, mode_sd, players, weights

LABEL_EVERY = 50
SAMPLES = 2500
ENOUGH = 20  # samples in a mode for it to count


# ------------------------------------------------------------------------------------------------------------------ losses


def discriminator_loss(case: Case, real: Tensor, fake: Tensor) -> Tensor:
    """Returns what D minimises, for the outputs of its last layer."""
    match case.loss:
        case "non-saturating" | "minimax":
            if case.sigmoid:
                return -(torch.log(real + 1e-7).mean() + torch.log(1 - fake + 1e-7).mean())
            return F.softplus(-real).mean() + F.softplus(fake).mean()
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
        case "double-sigmoid" | "all-real":
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
    make_g = (
        (lambda p: torch.optim.SGD(p, lr=case.lr_g))
        if case.optimizer_g == "sgd"
        else (lambda p: torch.optim.RMSprop(p, lr=case.lr_g))
        if case.optimizer_g == "rmsprop"
        else (lambda p: torch.optim.Adam(p, lr=case.lr_g, betas=case.betas))
    )
    one = case.fault == "one-optimizer"
    d_opt = torch.optim.Adam([*d.parameters(), *(g.parameters() if one else [])], lr=case.lr_d, betas=case.betas)
    g_opt = d_opt if one else make_g(g.parameters())
    labels = Labels(case, seed)
    with recorder_class(
        out / "run",
        generator=g,
        discriminator=d,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
        discriminator_output="probability"
        if (case.sigmoid and case.loss != "double-sigmoid")
        or (case.loss.startswith("fault") and case.loss != "fault-shared")
        else "logit",
        about=about(case, seed),
    ) as recorder:
        for step in range(case.steps):
            if step in case.changes:
                case = replace(
                    case, **{k: v for k, v in case.changes[step].items() if k != "poison"}, changes=case.changes
                )
                if "poison" in labels.case.changes[step]:
                    with torch.no_grad():
                        next(iter(d.parameters()))[0, 0] = float("nan")
            set_rates(case, labels.case, step, g_opt, d_opt)
            facts = one_step(case, source, g, d, g_opt, d_opt)
            recorder.step(**facts)
            with torch.no_grad():
                for slow, fast in zip(ema.parameters(), g.parameters()):
                    slow.lerp_(fast, 0.02)
            if case.data == "colour":
                if step == 0:
                    recorder.record_samples(source.pool[:64], kind="real")  # as they are displayed and scored
                continue  # faults of the data are labels by themselves
            if (step + 1) % LABEL_EVERY == 0:
                labels.look(step, g, ema if case.nets == "mlp" else g)
            if (step + 1) % 100 == 0:
                evaluate(case, seed, step, ema if case.nets == "mlp" else g, d, source, recorder)
    (out / "label.json").write_text(json.dumps(labels.told()))


def set_rates(case: Case, start: Case, step: int, g_opt: torch.optim.Optimizer, d_opt: torch.optim.Optimizer) -> None:
    """Gives the optimizers their rates at a step."""
    for who, option in (("lr_d", d_opt), ("lr_g", g_opt)):
        factor = start.ramp.get(who, 1.0) ** (step / case.steps)
        for group in option.param_groups:
            group["lr"] = getattr(case, who) * factor


def one_step(case: Case, source: Source, g: nn.Module, d: nn.Module, g_opt: Any, d_opt: Any) -> dict[str, Any]:
    """Plays one step: D's updates, then G's."""
    for _ in range(case.d_steps):
        real = source.batch()
        fake = g(torch.randn(len(real), case.latent))
        fake = fake if case.fault == "one-optimizer" else fake.detach()
        if case.fault != "no-zero-grad":
            d_opt.zero_grad()
        real_out, fake_out = d(real), d(fake)
        d_loss = discriminator_loss(case, real_out, fake_out)
        extra = penalty(case, d, real, fake)
        (d_loss if extra is None else d_loss + extra).backward()
        d_opt.step()
        if case.clip:
            with torch.no_grad():
                for p in d.parameters():
                    p.clamp_(-case.clip, case.clip)
    new = g(torch.randn(case.batch, case.latent))
    shown = new.detach().requires_grad_() if case.fault == "detached" else new
    if case.fault != "no-zero-grad":
        g_opt.zero_grad()
    new_out = d(shown)
    g_loss = generator_loss(case, d(real) if case.loss in ("relativistic", "fault-shared") else real_out, new_out)
    (-g_loss if case.fault == "sign" else g_loss).backward()
    g_opt.step()
    return {
        "real_logits": real_out.flatten(),
        "fake_logits": fake_out.flatten(),
        "d_loss": d_loss,
        "g_loss": g_loss,
        "real": real,
        "fake": fake,
        "d_penalty": extra,
    }


def about(case: Case, seed: int) -> dict[str, Any]:
    """run.json as a stranger's loop would give it: data and seed, but neither the loss nor what was injected."""
    images = case.data.startswith("digits") or case.data == "colour"
    return {
        "seed": seed,
        "steps_planned": case.steps,
        "data": {"name": case.data, "kind": "images" if images else "points"},
    }


# ------------------------------------------------------------------------------------------------------------------ labels


def sample(g: nn.Module, case: Case, seed: int, count: int = SAMPLES) -> np.ndarray:
    """Draws from the generator with a random generator of its own, batch norm as in training's own batches."""
    kept = torch.get_rng_state()
    z = torch.randn(count, case.latent, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        frozen = players(case)[0]  # a copy without the recorder's hooks
        frozen.load_state_dict(g.state_dict())
        torch.set_rng_state(kept)  # making the copy has drawn weights
        return torch.cat([frozen(part) for part in z.split(250)]).flatten(1).numpy()


@cache
def neighbours(data: str) -> tuple[Any, np.ndarray, float]:
    """Returns the held-out digits as a nearest-neighbour index, their classes, and the distance that 95 % of training digits keep to them."""
    from sklearn.neighbors import NearestNeighbors

    train, held, _, classes = digits(28 if data == "digits28" else 8)
    index = NearestNeighbors(n_neighbors=1).fit(held.flatten(1).numpy())
    distance = index.kneighbors(train.flatten(1).numpy())[0][:, 0]
    return index, classes, float(np.quantile(distance, 0.95))


def held_out(case: Case) -> np.ndarray:
    """Returns reals that no training saw (n, features): held-out digits, or fresh points of the mixture."""
    if case.data.startswith("digits"):
        images = digits(28 if case.data == "digits28" else 8)[1].flatten(1).numpy()
        return (images + 1) / 2 if case.scale == "01" else images
    at, rng = centres(case.data) + case.shift, np.random.default_rng(9)
    return at[rng.choice(len(at), size=1000, p=weights(case.data))] + mode_sd(case.data) * rng.standard_normal(
        (1000, at.shape[1])
    )


def energy_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'|, unbiased: 0 for equal distributions, whatever they are; blur and lost modes both raise it.

    The share of good samples alone is no such score: a generator that gives the mean of all digits has the best one.
    """
    if not np.isfinite(fake).all():
        return float("inf")
    fake = fake[:1000]
    return 2 * _mean_distance(real, fake, 0) - _mean_distance(real, real, 1) - _mean_distance(fake, fake, 1)


def _mean_distance(a: np.ndarray, b: np.ndarray, own: int) -> float:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    if own:
        np.fill_diagonal(squares, 0.0)
    return float(np.sqrt(np.clip(squares, 0, None)).sum() / (len(a) * (len(b) - own)))


def histogram(case: Case, samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the good samples in each mode or class (modes,), and the share of samples that are good."""
    if not np.isfinite(samples).all():
        return np.zeros(10), 0.0
    if case.data.startswith("digits"):
        index, classes, far = neighbours(case.data)
        samples = samples * 2 - 1 if case.scale == "01" else samples
        distance, at = (x[:, 0] for x in index.kneighbors(samples))
        good = distance <= far
        return np.bincount(classes[at[good]], minlength=10), float(good.mean())
    at = centres(case.data) + case.shift
    distance = np.linalg.norm(samples[:, None] - at[None], axis=2)
    good = distance.min(1) < 3 * mode_sd(case.data)
    return np.bincount(distance.argmin(1)[good], minlength=len(at)), float(good.mean())


class Labels:
    """Looks at the generator from outside and keeps what it sees."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case, self.seed = case, seed
        self.seen: list[dict[str, Any]] = []

    def look(self, step: int, g: nn.Module, shipped: nn.Module) -> None:
        """Counts modes with at least ENOUGH good samples, and the share of good samples."""
        counts, good = histogram(self.case, sample(g, self.case, 10_000 + step))
        best = sample(shipped, self.case, 20_000 + step)
        self.seen.append(
            {
                "step": step,
                "covered": int((counts >= ENOUGH).sum()),
                "modes": len(counts),
                "good": good,
                "shipped": histogram(self.case, best)[1],
                "held_out": energy_distance(held_out(self.case), best),
            }
        )

    def told(self) -> dict[str, Any]:
        """Returns the label: what was injected, and when the generator was last ill by the outside view (None: it ends well)."""
        modes = self.seen[-1]["modes"] if self.seen else 0
        ill = [s["covered"] <= modes / 2 or s["good"] < 0.1 for s in self.seen]
        late = ill[-max(1, len(ill) // 5) :]
        return {
            "name": self.case.name,
            "seed": self.seed,
            "steps": self.case.steps,
            "causes": self.case.causes,
            "injected_at": self.case.onset,
            "outcome_ill": float(np.mean(late)) if late else 0.0,
            "seen": self.seen,
        }


def evaluate(case: Case, seed: int, step: int, g: nn.Module, d: nn.Module, source: Source, recorder: Any) -> None:
    """Records what a user's own evaluation would: the modes by the mixture or, on digits, by a linear classifier; distances; D on held-out reals."""
    fakes = sample(g, case, 77_000 + seed + step, 1000)
    if not np.isfinite(fakes).all():
        return
    scores: dict[str, Any] = {}
    if case.data.startswith("digits"):
        reals = digits(28 if case.data == "digits28" else 8)[0].flatten(1).numpy()[:1000]
        name, counts = "pixels", np.bincount(classifier(case.data).predict(fakes), minlength=10)
        if case.data == "digits" and not case.scale:
            scores = on_held_out(case, d, source, fakes)
    else:
        at = centres(case.data) + case.shift
        rng = np.random.default_rng(5)
        reals = at[rng.choice(len(at), size=1000, p=weights(case.data))] + mode_sd(case.data) * rng.standard_normal(
            (1000, at.shape[1])
        )
        counts, scores["high_quality_share"] = histogram(case, fakes)
        name = "points"
    scores |= {
        f"frechet_distance[{name}]": frechet(reals, fakes),
        "modes_total": len(counts),
        "modes_covered": int((counts >= 8).sum()),
        "mode_histogram": (counts / max(1, counts.sum())).tolist(),
    }
    recorder.record_evaluation(scores, protocol={"features": name, "count": 1000}, step=step)


def on_held_out(case: Case, d: nn.Module, source: Source, fakes: np.ndarray) -> dict[str, float]:
    """Scores of learning by heart: D on held-out reals, and how near the fakes lie to what was trained on."""
    from gandiag.metrics.memorisation import authenticity, copying_z
    from gandiag.recording.heldout import heldout_scores

    assert source.pool is not None
    train, held = source.pool[:300], digits(8)[1]
    fake = torch.as_tensor(fakes[:300]).reshape(-1, 1, 8, 8)
    kept = {k: v.clone() for k, v in d.state_dict().items()}
    with torch.no_grad():
        outputs = [as_logit(case, d(x)).flatten() for x in (train, held, fake)]
    d.load_state_dict(kept)  # batch normalisation has looked at these batches
    flat = [x.flatten(1).numpy() for x in (train, held, fake)]
    scores = heldout_scores(*outputs) if all(bool(torch.isfinite(o).all()) for o in outputs) else {}
    nearest = [np.median(np.sqrt(((a[:, None] - flat[0][None]) ** 2).sum(-1)).min(1)) for a in (flat[2], flat[1])]
    return {
        **scores,
        "nearest_real_distance": float(nearest[0] / nearest[1]),
        "authenticity": float(authenticity(flat[0], flat[2])),
        "copying_z": float(copying_z(flat[0], flat[1], flat[2], cells=1)),
    }


def as_logit(case: Case, output: Tensor) -> Tensor:
    """Returns logits of what D's last layer gives."""
    ends_in_sigmoid = case.sigmoid or (case.loss.startswith("fault") and case.loss != "fault-shared")
    return torch.logit(output.clamp(1e-7, 1 - 1e-7)) if ends_in_sigmoid else output


@cache
def classifier(data: str) -> Any:
    """A linear classifier of the training digits, for the recorded evaluations only: it gives every image a class, noise too."""
    from sklearn.linear_model import LogisticRegression

    train, _, classes, _ = digits(28 if data == "digits28" else 8)
    return LogisticRegression(max_iter=200).fit(train.flatten(1).numpy(), classes)


def frechet(real: np.ndarray, fake: np.ndarray) -> float:
    """The Frechet distance of two sets of features."""
    s1, s2 = (np.atleast_2d(np.cov(x.T)) for x in (real, fake))
    eigenvalues = np.linalg.eigvals(s1 @ s2)
    root = np.sqrt(np.clip(eigenvalues.real, 0, None)).sum()
    return float(((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * root)
