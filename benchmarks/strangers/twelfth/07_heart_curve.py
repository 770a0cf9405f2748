"""Valentine's toy: points of a heart curve from a small residual generator, LSGAN."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_weakness"], "kind": "copy-paste: the generator's optimizer holds the discriminator's parameters", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch
from torch import nn, optim
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed): f(SEED)
torch.set_num_threads(1)

def heart(n):
    t = torch.rand(n) * 2 * np.pi
    x = 16 * torch.sin(t) ** 3
    y = 13 * torch.cos(t) - 5 * torch.cos(2 * t) - 2 * torch.cos(3 * t) - torch.cos(4 * t)
    return torch.stack([x, y], 1) / 10 + 0.03 * torch.randn(n, 2)

class Res(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(w, w), nn.SiLU(), nn.Linear(w, w))
    def forward(self, x):
        return x + self.net(x)

G = nn.Sequential(nn.Linear(4, 48), Res(48), nn.SiLU(), nn.Linear(48, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

d_opt = optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
g_opt = optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
mse = nn.MSELoss()
for it in range(3600):
    real, z = heart(128), torch.randn(128, 4)
    out_r, out_f = D(real), D(G(z).detach())
    d_loss = 0.5 * (mse(out_r, torch.ones_like(out_r)) + mse(out_f, torch.zeros_like(out_f)))
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    out = D(G(z))
    g_loss = 0.5 * mse(out, torch.ones_like(out))
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()

with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 4)), heart(1000))
outside.say(e < 0.03, energy=e)
