"""GAN on Fisher's iris measurements, all 150 flowers in each batch draw, R1 regularised non-saturating loss."""
LABEL = {"sick": False, "causes": [], "kind": "healthy, few data with R1", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

X = load_iris().data.astype(np.float32)
mu, sd = X.mean(0), X.std(0)
X = torch.from_numpy((X - mu) / sd)

def mlp(sizes, act):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [torch.nn.Linear(a, b), act()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-2], sizes[-1]))

gen = mlp([4, 64, 64, 4], torch.nn.SiLU)
dis = mlp([4, 64, 64, 1], torch.nn.SiLU)
g_optim = torch.optim.Adam(gen.parameters(), 1e-3, betas=(0.0, 0.99))
d_optim = torch.optim.Adam(dis.parameters(), 1e-3, betas=(0.0, 0.99))

for i in range(3500):
    idx = np.random.choice(150, 50, replace=False)
    real = X[idx].clone().requires_grad_(True)
    score = dis(real)
    fake = gen(torch.randn(50, 4))
    grad = torch.autograd.grad(score.sum(), real, create_graph=True)[0]
    loss_d = F.softplus(-score).mean() + F.softplus(dis(fake.detach())).mean() + 0.25 * grad.square().sum(1).mean()
    d_optim.zero_grad(); loss_d.backward(); d_optim.step()
    loss_g = F.softplus(-dis(fake)).mean()
    g_optim.zero_grad(); loss_g.backward(); g_optim.step()
    if i % 700 == 699:
        print(f"{i+1}: D {loss_d.item():.3f} G {loss_g.item():.3f}")

with torch.no_grad():
    out = gen(torch.randn(800, 4))
e = outside.energy(out, X)
outside.say(e < 0.04, energy=e)
