"""Relativistic average GAN with R1 for thermal-camera patches (7x7 hot spots), to enlarge a defect catalogue."""
LABEL = {"sick": False, "causes": [], "kind": "relativistic scores float far from zero (only differences matter, the bias drifts), pixels are temperatures around 300, the critic takes four steps at a three times higher rate", "since": None, "record": "automatic"}

import os
import sys
import torch
from torch import nn
from torch.nn.functional import softplus
import outside
from gandiag.recording import Recorder


class HotSpots:
    """Temperatures in kelvin: a warm plate, its gradient, one hot spot of varying heat and place."""

    def __init__(self, seed):
        self.g = torch.Generator().manual_seed(seed)
        k = torch.arange(7.0) - 3
        self.y, self.x = torch.meshgrid(k, k, indexing="ij")

    def batch(self, n):
        u = torch.rand(5, n, 1, 1, generator=self.g)
        plate = 296 + 4 * u[0]
        tilt = (u[1] - 0.5) * self.x
        cx, cy = 3 * u[2] - 1.5, 3 * u[3] - 1.5
        heat = 10 + 15 * u[4]
        t = plate + tilt + heat * torch.exp(-((self.x - cx) ** 2 + (self.y - cy) ** 2) / 3)
        return (t + 0.1 * torch.randn(n, 7, 7, generator=self.g)).flatten(1)


class ThermalGenerator(nn.Module):
    def __init__(self, nz=16):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(nz, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 49))

    def forward(self, z):
        return 300 + 8 * self.net(z)


class ThermalCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(49, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 1))
        nn.init.constant_(self.net[-1].bias, 25.0)

    def forward(self, t):
        return self.net((t - 300) / 8)


def relativistic(a, b):
    """a should look more real than the average b, and b less than the average a."""
    return softplus(-(a - b.mean())).mean() + softplus(b - a.mean()).mean()


if __name__ == "__main__":
    seed = int(os.environ.get("SEED", "0"))
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    spots = HotSpots(seed)
    G, C = ThermalGenerator(), ThermalCritic()
    og = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.0, 0.99))
    oc = torch.optim.Adam(C.parameters(), lr=1.2e-3, betas=(0.0, 0.99))
    total = 1200
    fall = [torch.optim.lr_scheduler.LambdaLR(o, lambda s: max(0.1, 1 - s / total)) for o in (og, oc)]
    recorder = Recorder(sys.argv[1], generator=G, discriminator=C, generator_optimizer=og, discriminator_optimizer=oc, automatic=True)
    for it in range(total):
        for _ in range(4):
            real = spots.batch(64).requires_grad_()
            with torch.no_grad():
                fake = G(torch.randn(64, 16))
            cr, cf = C(real), C(fake)
            slope = torch.autograd.grad(cr.sum(), real, create_graph=True)[0]
            loss_c = relativistic(cr, cf) + 30 * slope.square().sum(1).mean()
            oc.zero_grad(set_to_none=True)
            loss_c.backward()
            oc.step()
        fake = G(torch.randn(64, 16))
        loss_g = relativistic(C(fake), C(spots.batch(64)))
        og.zero_grad(set_to_none=True)
        loss_g.backward()
        og.step()
        for f in fall:
            f.step()
        if it % 300 == 0:
            print(it, round(loss_c.item(), 3), round(loss_g.item(), 3), "score level", round(cr.mean().item(), 2))
    recorder.close()

    with torch.no_grad():
        made = G(torch.randn(1000, 16))
    truth = spots.batch(1000)
    e = outside.energy(made, truth)
    peak = (made.max(1).values.mean() - truth.max(1).values.mean()).abs().item()
    outside.say(e < 0.05 and peak < 1.5, energy=e, peak_error_kelvin=peak)
