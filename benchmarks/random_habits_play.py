"""One game as its habits have it: `benchmarks/random_habits.py` draws it, and this plays it, recorded."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.random_world import Data
from gandiag.recording import Recorder

SAMPLES = 2000  # that are measured at the end


@dataclass
class Game:
    """What was drawn."""

    seed: int
    loss: str
    remedy: str
    optimizer: str
    betas: tuple[float, float]
    lr_g: float
    lr_d: float
    batch: int
    steps: int
    latent: int
    record: str
    habits: list[str] = field(default_factory=list)
    data: str = ""
    fault: str = ""


class Units(nn.Module):
    """A network that works in standard units inside, and in the data's own outside."""

    def __init__(self, inner: nn.Module, centre: float, size: float, *, outwards: bool) -> None:
        super().__init__()
        self.inner, self.centre, self.size, self.outwards = inner, centre, size, outwards

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) * self.size + self.centre if self.outwards else self.inner((x - self.centre) / self.size)


class Training:
    """One game as its habits have it."""

    def __init__(self, game: Game, data: Data, g: nn.Module, d: nn.Module, path: Path) -> None:
        self.game, self.data = game, data
        self.centre, self.size = (300.0, 40.0) if self.has("own units") else (0.0, 1.0)
        self._weigh(g, d)
        if self.has("own units"):
            g = Units(g, self.centre, self.size, outwards=True)
            d = Units(d, self.centre, self.size, outwards=False)
        if self.has("probabilities"):
            d = nn.Sequential(d, nn.Sigmoid())
        self.g, self.d, self.average = g, d, copy.deepcopy(g) if self.has("average of G") else None
        self.g_opt, self.d_opt = self._optimizer(g, game.lr_g), self._optimizer(d, game.lr_d)
        self.recorder = Recorder(
            path,
            generator=g,
            discriminator=d,
            generator_optimizer=self.g_opt,
            discriminator_optimizer=self.d_opt,
            discriminator_output="probability" if self.has("probabilities") else "logit",
            automatic=game.record == "automatic",
        )
        self.pool: list[Tensor] = []
        self.small = self._real(1500) if self.has("epochs") else self._real(200)
        few = {"one batch": game.batch, "few samples": 24}.get(game.fault)
        self.few = None if few is None else self._real(few)
        self.epoch: Iterator[Tensor] = iter(())
        self.step, self.won = 0, 0.5

    def has(self, habit: str) -> bool:
        """Whether this is one of the game's habits."""
        return habit in self.game.habits

    def _weigh(self, *networks: nn.Module) -> None:
        for module in (m for net in networks for m in net.modules()):
            if isinstance(module, nn.Linear) and not hasattr(module, "parametrizations"):
                if self.has("small weights"):
                    nn.init.xavier_uniform_(module.weight, 0.5)
                    nn.init.zeros_(module.bias)
                elif self.has("orthogonal weights"):
                    nn.init.orthogonal_(module.weight)

    def _optimizer(self, module: nn.Module, rate: float) -> torch.optim.Optimizer:
        if self.game.optimizer == "rmsprop":
            return torch.optim.RMSprop(module.parameters(), rate / 2)
        kinds: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "nadam": torch.optim.NAdam}
        decay = (
            {"weight_decay": 0.3 * (100 if self.game.optimizer == "adamw" else 1)}
            if self.game.fault == "weight decay"
            else {}
        )
        return kinds[self.game.optimizer](module.parameters(), lr=rate, betas=self.game.betas, **decay)

    def _real(self, count: int) -> Tensor:
        real = self.data.draw(count)
        if self.game.fault == "data out of range":
            real = (real + 1) * 127.5 if self.data.bounded else 40 * real + 100
        if self.game.fault == "noise on reals":
            real = real + 0.5 * real.std() * torch.randn_like(real)
        return real * self.size + self.centre

    def _batch(self) -> Tensor:
        count = self.game.batch
        if self.has("growing batch"):
            count = max(16, int(count * min(1.0, 0.25 + self.step / self.game.steps)))
        if self.few is not None:
            return self.few if self.game.fault == "one batch" else self.few[torch.randint(0, len(self.few), (count,))]
        if self.has("small data, augmented"):
            return self.small[torch.randint(0, len(self.small), (count,))]
        if not self.has("epochs"):
            return self._real(count)
        found = next(self.epoch, None)
        if found is None:
            self.epoch = iter(torch.utils.data.DataLoader(self.small, batch_size=count, shuffle=True))  # type: ignore[arg-type]
            found = next(self.epoch)
        return found

    def _latents(self, count: int) -> Tensor:
        if self.has("uniform latents"):
            return torch.rand(count, self.game.latent) * 2 - 1
        z = torch.randn(count, self.game.latent)
        return F.normalize(z, dim=1) * self.game.latent**0.5 if self.has("sphere latents") else z

    def _shown(self, x: Tensor) -> Tensor:
        """What D is shown of reals and fakes alike."""
        if self.has("fading noise"):
            return x + 0.4 * self.size * max(0.0, 1 - 2 * self.step / self.game.steps) * torch.randn_like(x)
        if self.has("steady noise"):
            return x + 0.05 * self.size * torch.randn_like(x)
        if self.has("jitter of both") or self.has("small data, augmented"):
            shape = (len(x), *[1] * (x.dim() - 1))
            x = (x - self.centre) * (1 + 0.1 * torch.randn(shape)) + self.centre + 0.05 * self.size * torch.randn(shape)
        return x.flip(-1) if self.has("augmented pairs") and x.dim() == 4 and random.random() < 0.2 else x

    def _d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        loss = self.game.loss
        if loss == "critic":
            return fake.mean() - real.mean()
        if loss == "relativistic":
            return F.softplus(fake - real).mean()
        if loss == "relativistic average":
            return (F.softplus(fake.mean() - real).mean() + F.softplus(fake - real.mean()).mean()) / 2
        if self.has("swapped labels"):
            real, fake = -real, -fake
        if loss == "least squares":
            return ((real - 1).square().mean() + fake.square().mean()) / 2
        if loss == "hinge":
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        one, zero = torch.ones_like(real), torch.zeros_like(fake)
        if self.has("smooth labels"):
            one = one * 0.9
        if self.has("flipped labels"):
            one, zero = (torch.where(torch.rand_like(t) < 0.05, 1 - t, t) for t in (one, zero))
        cost = F.binary_cross_entropy if self.has("probabilities") else F.binary_cross_entropy_with_logits
        return cost(real, one) + cost(fake, zero)

    def _g_loss(self, fake: Tensor, real: Tensor) -> Tensor:
        loss = self.game.loss
        if loss == "relativistic":
            return F.softplus(real.detach() - fake).mean()
        if loss == "relativistic average":
            real = real.detach()
            return (F.softplus(real.mean() - fake).mean() + F.softplus(real - fake.mean()).mean()) / 2
        if self.has("swapped labels"):
            fake = -fake
        if loss in ("critic", "hinge"):
            return -fake.mean()
        if loss == "least squares":
            return (fake - 1).square().mean() / 2
        if self.has("probabilities"):
            return F.binary_cross_entropy(fake, torch.ones_like(fake))
        return F.softplus(-fake).mean()

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        if self.game.remedy == "gp":
            share = torch.rand(len(real), *[1] * (real.dim() - 1))
            at = [(share * real + (1 - share) * fake).requires_grad_()]
        else:
            at = [x.clone().requires_grad_() for x in ((real, fake) if self.game.remedy == "r1 r2" else (real,))]
        whole = torch.zeros(())
        for x in at:
            (slope,) = torch.autograd.grad(self.d(x).sum(), x, create_graph=True)
            squares = (slope * self.size).flatten(1).square().sum(1)
            whole = whole + (
                10 * ((squares + 1e-12).sqrt() - 1).square().mean()
                if self.game.remedy == "gp"
                else 0.1 * squares.mean()
            )
        return whole * (1000.0 if self.game.fault == "heavy penalty" else 1.0)

    def _given(self, fake: Tensor) -> Tensor:
        """What D's turn is given of the fakes: from a pool, half of the time, where there is one."""
        if not self.has("pool of fakes"):
            return fake if self.has("undetached fakes") else fake.detach()
        fake = fake.detach()
        self.pool = [*self.pool[-19:], fake]
        old = random.choice(self.pool)
        return torch.cat([fake[: len(fake) // 2], old[len(fake) // 2 : len(fake)]])

    def discriminate(self) -> dict[str, Tensor]:
        """D's update."""
        if self.game.fault != "gradients never cleared":
            self.d_opt.zero_grad()
        parts = 2 if self.has("accumulation") else 1
        for _ in range(parts):
            real = self._batch()
            fake = self._given(self.g(self._latents(len(real))))
            count = min(len(real), len(fake))
            real, fake = self._shown(real[:count]), self._shown(fake[:count])
            if self.has("joined batch"):
                scores = self.d(torch.cat([real, fake]))
                on_real, on_fake = scores[: len(real)], scores[len(real) :]
            else:
                on_real, on_fake = self.d(real), self.d(fake)
            loss = self._d_loss(on_real, -on_fake if self.game.fault == "fakes called real" else on_fake)
            if self.game.remedy not in ("none", "spectral norm"):
                loss = loss + self._penalty(real.detach(), fake.detach())
            (loss / parts).backward()
        if self.has("clipped norms"):
            nn.utils.clip_grad_norm_(self.d.parameters(), 1.0)
        right = (on_real.detach() > on_fake.detach()).float().mean()
        self.won = float(1 - right if self.has("swapped labels") else right)
        if not (self.has("D waits while it wins") and self.won > 0.9 and self.step > 20):
            self.d_opt.step()
        return {"real_logits": on_real, "fake_logits": on_fake, "d_loss": loss, "real": real}

    def generate(self) -> dict[str, Tensor]:
        """G's update."""
        if self.game.fault != "gradients never cleared":
            self.g_opt.zero_grad()
        if self.has("frozen D in G's turn"):
            self.d.requires_grad_(False)
        parts = 2 if self.has("accumulation") else 1
        for _ in range(parts):
            fake = self.g(self._latents(self.game.batch))
            if self.game.fault == "detached fakes":
                fake = fake.detach().requires_grad_()
            verdict = self.d(self._shown(fake))
            real = self._batch() if self.game.loss.startswith("relativistic") or self.has("matched features") else fake
            on_real = self.d(self._shown(real)) if self.game.loss.startswith("relativistic") else verdict
            loss = self._g_loss(verdict[: len(on_real)], on_real[: len(verdict)])
            if self.has("matched features"):
                loss = loss + 0.1 * ((fake.mean(0) - real.mean(0)) / self.size).square().mean()
            if self.has("diversity term"):
                loss = loss - 0.01 * ((fake[0::2] - fake[1::2]).abs().mean() / self.size).clamp(max=1.0)
            if self.game.fault == "ascending generator":
                loss = -loss
            if self.game.fault == "collapse by a loss":
                loss = loss + 20 * ((fake - fake.mean(0, keepdim=True).detach()) / self.size).square().mean()
            (loss / parts).backward()
        if self.has("frozen D in G's turn"):
            self.d.requires_grad_(True)
        if self.has("clipped norms"):
            nn.utils.clip_grad_norm_(self.g.parameters(), 1.0)
        self.g_opt.step()
        if self.average is not None:
            with torch.no_grad():
                for kept, now in zip(self.average.state_dict().values(), self.g.state_dict().values()):
                    kept.copy_(now if not kept.is_floating_point() else kept + 0.01 * (now - kept))
        return {"g_loss": loss, "fake": fake}

    def _of_fault(self, optimizer: torch.optim.Optimizer) -> float:
        """By how much a fault has changed a player's rate by now."""
        if self.game.fault == "rate fades" and optimizer is self.g_opt:
            return float(0.97**self.step)
        late = max(0, self.step - self.game.steps // 2)
        return float((1 + 12 / self.game.steps) ** late) if self.game.fault == "rate runs away" else 1.0

    def _share_of_rate(self) -> float:
        at = self.step / self.game.steps
        if self.has("cosine schedule"):
            return 0.5 * (1 + math.cos(math.pi * at))
        if self.has("linear decay"):
            return min(1.0, 2 * (1 - at))
        if self.has("warm-up"):
            return min(1.0, (self.step + 1) / 200)
        if self.has("rate in steps"):
            return 0.3 ** int(3 * at)
        return 0.5 * (1 + math.cos(math.pi * (4 * at % 1))) if self.has("warm restarts") else 1.0

    def _on_the_way(self) -> None:
        if self.game.fault == "started anew" and self.step == self.game.steps * 9 // 10:
            for module in self.g.modules():
                if isinstance(module, (nn.Linear, nn.ConvTranspose2d)):
                    module.reset_parameters()
        if self.has("validation") and self.step % 100 == 99:
            self.g.eval()
            self.d.eval()
            with torch.no_grad():
                self.d(self.g(self._latents(300)))
                self.d(self._real(300))
            self.g.train()
            self.d.train()
        if self.step != self.game.steps // 3:
            return
        if self.has("checkpoint loaded"):
            things: list[Any] = [self.g, self.d, self.g_opt, self.d_opt]
            kept = copy.deepcopy([x.state_dict() for x in things])
            for _ in range(3):
                self.discriminate()
                self.generate()
            for x, state in zip(things, kept):
                x.load_state_dict(state)
        if self.has("fresh D once"):
            for module in self.d.modules():
                if isinstance(module, (nn.Linear, nn.Conv2d)):
                    module.reset_parameters()
        if self.has("fresh optimizers"):
            self.g_opt, self.d_opt = self._optimizer(self.g, self.game.lr_g), self._optimizer(self.d, self.game.lr_d)

    def play(self) -> Tensor:
        """Plays the game; returns samples of what its author would ship."""
        if self.has("D first alone"):
            for _ in range(60):
                self.discriminate()
        for step in range(self.game.steps):
            self.step = step
            for optimizer, rate in ((self.g_opt, self.game.lr_g), (self.d_opt, self.game.lr_d)):
                for group in optimizer.param_groups:
                    group["lr"] = rate * self._share_of_rate() * self._of_fault(optimizer)
                    group["lr"] *= 0.5 if self.game.optimizer == "rmsprop" else 1.0
            self._on_the_way()
            often = 3 if self.has("three D steps") or self.game.loss == "critic" else 1
            if self.has("many D steps at first") and self.step < 20:
                often = 15
            for _ in range(often):
                told = self.discriminate()
            waits = self.has("G waits while it loses") and self.won > 0.97 and self.step % 3
            for _ in range(0 if waits else 2 if self.has("two G steps") else 1):
                told |= self.generate()
            if self.game.record == "lines":
                self.recorder.step(**told)  # type: ignore[arg-type]
        self.recorder.close()
        shipped = (self.g if self.average is None else self.average).eval()
        with torch.no_grad():
            return (shipped(self._latents(SAMPLES)) - self.centre) / self.size
