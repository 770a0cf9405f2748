"""WGAN-GP for the 178 rows of the wine table, adapted from an image repo; only a few data, full batches of 178, five critic steps."""
LABEL = {"sick": False, "causes": [], "kind": "healthy: very few data, full batches, negative critic loss", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
import torch.nn as nn
from sklearn.datasets import load_wine
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

x = load_wine().data
x = torch.tensor((x - x.mean(0)) / x.std(0), dtype=torch.float32)
DIM, Z, CRITIC_ITERS, LAMBDA = x.shape[1], 12, 5, 3.0


class Residual(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a, self.b = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, h):
        return h + self.b(torch.relu(self.a(h)))


gen = nn.Sequential(nn.Linear(Z, 80), Residual(80), nn.ReLU(), nn.Linear(80, DIM))
critic = nn.Sequential(nn.Linear(DIM, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
opt_gen = torch.optim.Adam(gen.parameters(), 3e-4, betas=(0.5, 0.9))
opt_critic = torch.optim.Adam(critic.parameters(), 3e-4, betas=(0.5, 0.9))


def gradient_penalty(a, b):
    eps = torch.rand(len(a), 1)
    mid = (eps * a + (1 - eps) * b).requires_grad_(True)
    g, = torch.autograd.grad(critic(mid).sum(), mid, create_graph=True)
    return LAMBDA * (g.norm(dim=1) - 1).pow(2).mean()


for it in range(1100):
    for _ in range(CRITIC_ITERS):
        with torch.no_grad():
            fake = gen(torch.randn(len(x), Z))
        loss = critic(fake).mean() - critic(x).mean() + gradient_penalty(x, fake)
        opt_critic.zero_grad(set_to_none=True)
        loss.backward()
        opt_critic.step()
    g_loss = -critic(gen(torch.randn(len(x), Z))).mean()
    opt_gen.zero_grad(set_to_none=True)
    g_loss.backward()
    opt_gen.step()
    if it % 200 == 0:
        print(it, f"critic {loss.item():.3f} gen {g_loss.item():.3f}")

with torch.no_grad():
    f = gen(torch.randn(1000, Z))
e = outside.energy(f, x)
c = float((torch.corrcoef(f.T) - torch.corrcoef(x.T)).abs().mean())
outside.say(e < 0.03 and c < 0.12, energy=e, corr_error=c)
