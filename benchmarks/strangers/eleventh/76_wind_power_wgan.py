"""WGAN for wind farm day scenarios (24 hours, autocorrelated), five critic steps."""
LABEL = {"sick": True, "causes": ["divergence", "objective_fault", "discriminator_dominance"], "kind": "Wasserstein loss with no Lipschitz constraint at all (clipping forgotten), the critic runs off", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
lags = torch.arange(24).float()
C = torch.linalg.cholesky(torch.exp(-(lags[:, None] - lags).abs() / 6) + 1e-4 * torch.eye(24))
def scenarios(n):
    w = torch.randn(n, 24) @ C.T
    return torch.sigmoid(1.5 * w - 0.7)
hp = dict(lr=1e-3, n_critic=5, clip=0.03, z=16, bs=64)
G = nn.Sequential(nn.Linear(hp["z"], 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 24))
D = nn.Sequential(nn.Linear(24, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=hp["lr"])
d_opt = torch.optim.Adam(D.parameters(), lr=hp["lr"])
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for it in range(900):
    for _ in range(hp["n_critic"]):
        x = scenarios(hp["bs"])
        f = G(torch.randn(hp["bs"], hp["z"])).detach()
        d_loss = D(f).mean() - D(x).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(G(torch.randn(hp["bs"], hp["z"]))).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, hp["z"])), scenarios(1000))
outside.say(e < 0.06, energy=e)
