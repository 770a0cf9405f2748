"""Anomaly detection for a compressor: an adversarially learned encoder and generator (ALI / BiGAN) on normal operation only."""
LABEL = {"sick": False, "causes": [],
         "kind": "the discriminator judges pairs (x, z): its real pair carries the encoder's code, generator and encoder share one optimizer and both want it fooled; a cycle term is added",
         "since": None, "record": "automatic"}
import os
import sys
import itertools
import torch
from torch import nn
from torch.nn import functional as F
from sklearn.metrics import roc_auc_score
from gandiag.recording import Recorder
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
NX, NZ = 8, 3


def normal_operation(n):
    load = torch.rand(n, 1) * 2 - 1
    ambient = 0.5 * torch.randn(n, 1)
    mode = torch.where(torch.rand(n, 1) < 0.4, -1.0, 1.0)
    x = torch.cat([load, 1.5 * load.square() - .5, torch.sin(2 * load) + .3 * ambient, ambient + .2 * mode, mode * (.8 + .2 * load),
                   .5 * ambient - .5 * load, torch.cos(2 * load) * .7, .6 * mode + .4 * ambient], 1)
    return x + 0.08 * torch.randn(n, NX)


def faults(n):
    """every channel plausible by itself, but they do not belong together"""
    x = normal_operation(n)
    half = x[torch.randperm(n)]
    return torch.cat([x[:, :1], half[:, 1:4], x[:, 4:6], half[:, 6:]], 1)


class PairJudge(nn.Module):
    def __init__(self):
        super().__init__()
        self.x = nn.Linear(NX, 96)
        self.z = nn.Linear(NZ, 96)
        self.top = nn.Sequential(nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, 1))

    def forward(self, x, z):
        return self.top(self.x(x) + self.z(z))


G = nn.Sequential(nn.Linear(NZ, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, NX))
E = nn.Sequential(nn.Linear(NX, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, NZ))
D = PairJudge()
opt_ge = torch.optim.Adam(itertools.chain(G.parameters(), E.parameters()), lr=1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_ge, discriminator_optimizer=opt_d, automatic=True)
train = normal_operation(20000)

for step in range(3000):
    x = train[torch.randint(0, 20000, (128,))].requires_grad_()
    z = torch.randn(128, NZ)
    x_fake, code = G(z), E(x)
    up = D(x, code.detach())
    down = D(x_fake.detach(), z)
    r1 = torch.autograd.grad(up.sum(), x, create_graph=True)[0].square().sum(1).mean()
    d_loss = F.softplus(-up).mean() + F.softplus(down).mean() + 0.03 * r1
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    ge_loss = F.softplus(D(x, code)).mean() + F.softplus(-D(x_fake, z)).mean()
    cycle = (E(x_fake) - z).square().mean() + (G(code) - x.detach()).square().mean()
    opt_ge.zero_grad()
    (ge_loss + 0.5 * cycle).backward()
    opt_ge.step()
    if step % 500 == 0:
        print(step, f"{d_loss.item():.3f} {ge_loss.item():.3f} cycle {cycle.item():.3f}")
recorder.close()

with torch.no_grad():
    fake = G(torch.randn(1000, NZ))
    good, bad = normal_operation(1000), faults(1000)
    both = torch.cat([good, bad])
    score = (G(E(both)) - both).square().sum(1)
auc = roc_auc_score([0] * 1000 + [1] * 1000, score.numpy())
ed = outside.energy(fake, good)
left = float((fake[:, 4] < 0).float().mean())
outside.say(ed < 0.03 and auc > 0.85 and 0.28 < left < 0.52, energy=ed, auc=float(auc), off_mode_share=left)
