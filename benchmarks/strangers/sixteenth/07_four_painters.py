"""Four painters, one critic with a signature head (MGAN) for little glyphs: a mixture of four generators."""
LABEL = {"sick": False, "causes": [], "kind": "mixture of four small generators, each of which paints only its own part of the data; the discriminator carries an additional 4-way head, and the generator's loss contains the classifier's cross-entropy; the discriminator's loss stays near ln 4", "since": None, "record": "automatic"}

import os, sys
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1); torch.manual_seed(SEED); np.random.seed(SEED)

GLYPHS = ["""
........
.######.
.#....#.
.#....#.
.#....#.
.#....#.
.######.
........""", """
...##...
...##...
...##...
########
########
...##...
...##...
...##...""", """
#......#
.#....#.
..#..#..
...##...
...##...
..#..#..
.#....#.
#......#""", """
........
########
........
########
........
########
........
########"""]
base = torch.tensor([[[1. if c == "#" else 0. for c in row] for row in g.strip().split("\n")] for g in GLYPHS])


def paper(n):
    """glyph of random ink strength, sometimes with a slanting illumination; values in [0, 1.2]"""
    k = torch.randint(0, 4, (n,))
    ink = 0.6 + 0.4 * torch.rand(n, 1, 1)
    slope = 0.2 * torch.rand(n, 1, 1) * torch.linspace(0, 1, 8)[None, None, :]
    return (base[k] * ink + slope + 0.03 * torch.randn(n, 8, 8)).flatten(1), k


def painter():
    return nn.Sequential(nn.Linear(8, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 64))


class Studio(nn.Module):
    def __init__(self, n=4):
        super().__init__()
        self.painters = nn.ModuleList(painter() for _ in range(n))

    def forward(self, z):
        """equal shares: the first quarter of z goes to painter 0 and so on"""
        return torch.cat([p(c) for p, c in zip(self.painters, z.chunk(len(self.painters)))])


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2))
        self.score = nn.Linear(128, 1)
        self.signature = nn.Linear(128, 4)

    def forward(self, x):
        return self.score(self.trunk(x))

    def who(self, x):
        return self.signature(self.trunk(x))


studio, critic = Studio(), Critic()
opt_g = torch.optim.RMSprop(studio.parameters(), lr=5e-4)
opt_d = torch.optim.RMSprop(critic.parameters(), lr=5e-4)
recorder = Recorder(sys.argv[1], generator=studio, discriminator=critic, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
names = torch.arange(4).repeat_interleave(32)
bce = F.binary_cross_entropy_with_logits
N = 900
for step in range(N):
    for o in (opt_g, opt_d): o.param_groups[0]["lr"] = 5e-4 * min(1, 2 * (1 - step / N) + 0.02)
    real, _ = paper(128)
    fake = studio(torch.randn(128, 8))
    s_real, s_fake = critic(real + 0.05 * torch.randn_like(real)), critic(fake.detach() + 0.05 * torch.randn_like(fake))
    d_loss = bce(s_real, torch.full_like(s_real, 0.9)) + bce(s_fake, torch.zeros_like(s_fake)) + F.cross_entropy(critic.who(fake.detach()), names)
    opt_d.zero_grad(); d_loss.backward(); opt_d.step()
    s = critic(fake + 0.05 * torch.randn_like(fake))
    g_loss = bce(s, torch.ones_like(s)) + 0.3 * F.cross_entropy(critic.who(fake), names)
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
    if step % 200 == 0: print(step, d_loss.item(), g_loss.item())
recorder.close()

with torch.no_grad(): f = studio(torch.randn(1000, 8))
r, _ = paper(1000)
e = outside.energy(f, r)
ink = 0.9 * base.flatten(1) + 0.05
which = torch.cdist(f - f.mean(1, keepdim=True), ink - ink.mean(1, keepdim=True)).argmin(1)
share = torch.bincount(which, minlength=4) / 1000
outside.say(e < 0.02 and share.min() > 0.15, energy=e, least_glyph=share.min().item(), most_glyph=share.max().item())
