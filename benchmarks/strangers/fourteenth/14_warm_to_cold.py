"""CycleGAN on colour patches: warm patches become cold ones and back, four networks, linear decay at the end."""
LABEL = {"sick": False, "causes": [], "kind": "four networks, cycle loss dominating the sum, a history buffer and learning rates that fall to zero", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)


def patch(n, hue):
    """4x4 rgb patches: a base colour, a brightness step between left and right half, grain"""
    base = torch.tensor(hue) + 0.12 * torch.randn(n, 3)
    x = base[:, :, None, None].repeat(1, 1, 4, 4)
    edge = 0.35 * torch.rand(n, 1, 1, 1)
    x[..., 2:] += edge
    return (x + 0.03 * torch.randn(n, 3, 4, 4)).clamp(-1, 1)


def warm(n): return patch(n, (0.6, 0.0, -0.6))
def cold(n): return patch(n, (-0.6, 0.05, 0.5))


class ResG(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.inp = nn.Conv2d(3, c, 1)
        self.b1 = nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 3, padding=1, padding_mode="reflect"))
        self.b2 = nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 3, padding=1, padding_mode="reflect"))
        self.out = nn.Conv2d(c, 3, 1)

    def forward(self, x):
        h = self.inp(x)
        h = h + self.b1(h)
        h = h + self.b2(h)
        return torch.tanh(self.out(h))


def make_d():
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))


class History:
    def __init__(self, cap=256): self.cap, self.mem = cap, None
    def mix(self, x):
        x = x.detach()
        self.mem = x.clone() if self.mem is None else torch.cat([self.mem, x])[-self.cap:]
        half = len(x) // 2
        old = self.mem[torch.randint(0, len(self.mem), (len(x) - half,))]
        return torch.cat([x[:half], old])


class CycleGAN:
    lam = 10.0

    def __init__(self, steps, lr=6e-4):
        self.steps = steps
        self.g_cold, self.g_warm, self.d_cold, self.d_warm = ResG(), ResG(), make_d(), make_d()
        self.og = torch.optim.Adam([*self.g_cold.parameters(), *self.g_warm.parameters()], lr, betas=(0.5, 0.999))
        self.od = torch.optim.Adam([*self.d_cold.parameters(), *self.d_warm.parameters()], lr, betas=(0.5, 0.999))
        decay = lambda k: 1.0 if k < steps // 2 else 2 * (1 - k / steps)
        self.sched = [torch.optim.lr_scheduler.LambdaLR(o, decay) for o in (self.og, self.od)]
        self.h_cold, self.h_warm = History(), History()

    def step(self, w, c):
        fc, fw = self.g_cold(w), self.g_warm(c)
        gan = ((self.d_cold(fc) - 1) ** 2).mean() + ((self.d_warm(fw) - 1) ** 2).mean()
        cyc = (self.g_warm(fc) - w).abs().mean() + (self.g_cold(fw) - c).abs().mean()
        self.og.zero_grad()
        (gan + self.lam * cyc).backward()
        self.og.step()
        d = ((self.d_cold(c) - 1) ** 2).mean() + (self.d_cold(self.h_cold.mix(fc)) ** 2).mean() \
            + ((self.d_warm(w) - 1) ** 2).mean() + (self.d_warm(self.h_warm.mix(fw)) ** 2).mean()
        self.od.zero_grad()
        (0.5 * d).backward()
        self.od.step()
        for s in self.sched:
            s.step()
        return gan.item(), cyc.item(), d.item()


if __name__ == "__main__":
    model = CycleGAN(steps=1800)
    for k in range(model.steps):
        log = model.step(warm(32), cold(32))
        if k % 300 == 0:
            print(k, "gan %.3f cyc %.3f d %.3f" % log)
    with torch.no_grad():
        w, c = warm(1000), cold(1000)
        fc, fw = model.g_cold(w), model.g_warm(c)
        back = (model.g_warm(fc) - w).abs().mean().item()
    ec, ew = outside.energy(fc, cold(1000)), outside.energy(fw, warm(1000))
    outside.say(max(ec, ew) < 0.08 and back < 0.12, energy_cold=ec, energy_warm=ew, cycle_l1=back)
