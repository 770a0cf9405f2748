"""Where do the muons hit? A GAN for positions and slopes (x, y, tx, ty) in a drift chamber with nine cells, warm-up included."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse", "oscillation", "mode_dropping"],
         "kind": "the linear warm-up has no ceiling (LambdaLR with step / warm-up): the learning rate climbs to a hundred times its target",
         "since": None, "record": "automatic"}
import os
import sys
import torch
import torch.nn as nn
from torch.nn.functional import softplus
from torch.optim.lr_scheduler import LambdaLR
from gandiag.recording import Recorder
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

WARMUP = 25
CELLS = torch.cartesian_prod(torch.tensor([-1., 0., 1.]), torch.tensor([-1., 0., 1.]))


def hits(n):
    c = CELLS[torch.randint(9, (n,))]
    pos = c + 0.13 * torch.randn(n, 2)
    slope = 0.6 * c.flip(1) + 0.15 * torch.randn(n, 2)
    return torch.cat([pos, slope], 1)


def warm(step):
    return (step + 1) / WARMUP


class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.lin, self.norm = nn.Linear(i, o), nn.LayerNorm(o)

    def forward(self, x):
        return torch.nn.functional.gelu(self.norm(self.lin(x)))


G = nn.Sequential(Block(8, 96), Block(96, 96), nn.Linear(96, 4))
D = nn.Sequential(nn.Linear(4, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
opt_g = torch.optim.AdamW(G.parameters(), lr=1e-3, betas=(0.0, 0.95), weight_decay=1e-4)
opt_d = torch.optim.AdamW(D.parameters(), lr=1e-3, betas=(0.0, 0.95), weight_decay=1e-4)
sched_g, sched_d = LambdaLR(opt_g, warm), LambdaLR(opt_d, warm)

recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
for it in range(2500):
    x = hits(128).requires_grad_()
    score = D(x)
    r1 = torch.autograd.grad(score.sum(), x, create_graph=True)[0].square().sum(1).mean()
    d_loss = softplus(-score).mean() + softplus(D(G(torch.randn(128, 8)).detach())).mean() + 0.02 * r1
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    g_loss = softplus(-D(G(torch.randn(128, 8)))).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    sched_g.step()
    sched_d.step()
    if it % 500 == 499:
        print(it + 1, d_loss.item(), g_loss.item())
recorder.close()

with torch.no_grad():
    made = G(torch.randn(1000, 8))
found, near = outside.modes(made[:, :2], CELLS, 0.42)
e = outside.energy(made, hits(1000))
outside.say(found == 9 and near > 0.75 and e < 0.03, cells=found, near=near, energy=e)
