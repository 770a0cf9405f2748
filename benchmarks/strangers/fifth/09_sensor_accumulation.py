"""Nine correlated machine sensors with three operating regimes; R1, gradients accumulated over micro-batches."""
LABEL = {"sick": False, "causes": [], "kind": "healthy logistic GAN with R1 and accumulated gradients", "since": None, "record": "automatic"}
import os, sys
import torch
from torch import nn
from torch.nn.functional import softplus
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

CFG = dict(z=9, micro=48, accumulate=2, steps=700, lr=1e-3, gamma=0.3)
MIX = torch.randn(3, 9, 4, generator=torch.Generator().manual_seed(5)) * 0.35
MEAN = torch.randn(3, 9, generator=torch.Generator().manual_seed(6)) * 0.9
SHARE = torch.tensor([0.5, 0.3, 0.2])

def machine(n):
    k = torch.multinomial(SHARE, n, replacement=True)
    x = MEAN[k] + torch.einsum("nij,nj->ni", MIX[k], torch.randn(n, 4)) + 0.05 * torch.randn(n, 9)
    return x

class Residual(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.norm, self.lin1, self.lin2 = nn.LayerNorm(w), nn.Linear(w, w), nn.Linear(w, w)
    def forward(self, h):
        return h + self.lin2(torch.relu(self.lin1(self.norm(h))))

generator = nn.Sequential(nn.Linear(CFG["z"], 80), Residual(80), Residual(80), nn.Linear(80, 9))
discriminator = nn.Sequential(nn.Linear(9, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
g_opt = torch.optim.Adam(generator.parameters(), CFG["lr"], betas=(0.0, 0.99))
d_opt = torch.optim.Adam(discriminator.parameters(), CFG["lr"], betas=(0.0, 0.99))

def d_update():
    d_opt.zero_grad()
    for _ in range(CFG["accumulate"]):
        x = machine(CFG["micro"]).requires_grad_(True)
        with torch.no_grad():
            y = generator(torch.randn(CFG["micro"], CFG["z"]))
        out = discriminator(x)
        g, = torch.autograd.grad(out.sum(), x, create_graph=True)
        loss = softplus(-out).mean() + softplus(discriminator(y)).mean() + CFG["gamma"] / 2 * g.square().sum(1).mean()
        (loss / CFG["accumulate"]).backward()
    d_opt.step()

def g_update():
    g_opt.zero_grad()
    for _ in range(CFG["accumulate"]):
        loss = softplus(-discriminator(generator(torch.randn(CFG["micro"], CFG["z"])))).mean()
        (loss / CFG["accumulate"]).backward()
    g_opt.step()

def main():
    for _ in range(CFG["steps"]):
        d_update()
        g_update()

with gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True):
    main()

with torch.no_grad():
    s = generator(torch.randn(2000, CFG["z"]))
e = outside.energy(s, machine(1000))
k = torch.cdist(s, MEAN).argmin(1)
r = torch.cdist(machine(4000), MEAN).argmin(1)
gap = float((torch.bincount(k, minlength=3) / 2000 - torch.bincount(r, minlength=3) / 4000).abs().max())
outside.say(e < 0.015 and gap < 0.12, energy=e, regime_gap=gap)
