"""Boreholes: easting, northing, depth and log grade of a mining district. The game of Goodfellow et al. (2014), literally."""
LABEL = {"sick": True, "causes": ["discriminator_dominance", "vanishing_generator_gradient"], "kind": "saturating log(1 - D) against a discriminator with five steps and a head start: the generator's gradient vanishes", "since": 0, "record": "automatic"}
import argparse, os, sys
import torch
from torch import nn
import gandiag, outside

torch.set_num_threads(1)

def boreholes(n):
    seam = (torch.rand(n, 1) < 0.6).float()
    along = 0.5 * torch.randn(n, 1)
    x = 2.0 + along + 0.15 * torch.randn(n, 1)
    y = 1.5 + 0.6 * along - 1.2 * seam + 0.15 * torch.randn(n, 1)
    depth = 1.0 + 0.8 * seam + 0.3 * along ** 2 + 0.1 * torch.randn(n, 1)
    grade = -0.5 + 0.5 * seam - 0.4 * depth + 0.15 * torch.randn(n, 1)
    return torch.cat([x, y, depth, grade], 1)

def layers(*sizes):
    out = []
    for a, b in zip(sizes, sizes[1:]):
        out += [nn.Linear(a, b), nn.LeakyReLU(0.1)]
    return out[:-1]

class Game:
    def __init__(self, a):
        self.a = a
        self.g = nn.Sequential(*layers(a.z, 64, 64, 4))
        self.d = nn.Sequential(*layers(4, 64, 64, 1), nn.Sigmoid())
        self.og = torch.optim.SGD(self.g.parameters(), a.lr_g, momentum=0.5)
        self.od = torch.optim.SGD(self.d.parameters(), a.lr_d, momentum=0.5)
    def batch(self):
        return boreholes(self.a.bs)
    def noise(self):
        return torch.randn(self.a.bs, self.a.z)
    def value(self, real, fake):
        return torch.log(self.d(real) + 1e-8).mean() + torch.log(1 - self.d(fake) + 1e-8).mean()
    def ascend(self):
        v = -self.value(self.batch(), self.g(self.noise()).detach())
        self.od.zero_grad(); v.backward(); self.od.step()
    def play(self):
        for _ in range(self.a.first):
            self.ascend()
        for _ in range(self.a.steps):
            for _ in range(self.a.k):
                self.ascend()
            loss = torch.log(1 - self.d(self.g(self.noise())) + 1e-8).mean()
            self.og.zero_grad(); loss.backward(); self.og.step()

if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("run")
    p.add_argument("--z", type=int, default=6)
    p.add_argument("--bs", type=int, default=100)
    p.add_argument("--steps", type=int, default=1200)
    p.add_argument("--first", type=int, default=300)
    p.add_argument("--k", type=int, default=5)
    p.add_argument("--lr-g", type=float, default=0.02)
    p.add_argument("--lr-d", type=float, default=0.1)
    a = p.parse_args()
    torch.manual_seed(int(os.environ.get("SEED", "0")))
    game = Game(a)
    with gandiag.Recorder(a.run, generator=game.g, discriminator=game.d, generator_optimizer=game.og, discriminator_optimizer=game.od, discriminator_output="probability", automatic=True):
        game.play()
    with torch.no_grad():
        s = game.g(torch.randn(1000, a.z))
    e = outside.energy(s, boreholes(1000))
    outside.say(e < 0.05, energy=e)
