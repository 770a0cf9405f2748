"""Correlated table of five columns; a OneCycle scheduler whose top rate is far too high peaks in mid-training."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "objective_fault"], "kind": "both learning rates times 100 since step 700", "since": 700, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
W = torch.randn(5, 5, generator=torch.Generator().manual_seed(1))
def table(n):
    z = torch.randn(n, 5) @ W; z[:, 4] = torch.sign(z[:, 0]) * (1 + 0.1 * torch.randn(n)); return z / 2
G = nn.Sequential(nn.Linear(10, 64), nn.LeakyReLU(), nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 5))
D = nn.Sequential(nn.Linear(5, 64), nn.LeakyReLU(), nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 1))
g_opt, d_opt = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.99))
factor = lambda s: 1.0 if s < 700 else 100.0
sg, sd = (torch.optim.lr_scheduler.LambdaLR(o, factor) for o in (g_opt, d_opt))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
mse = nn.MSELoss()
for s in range(1400):
    f = G(torch.randn(128, 10)); r = table(128)
    dr, df = D(r), D(f.detach())
    d_loss = 0.5 * (mse(dr, torch.ones_like(dr)) + mse(df, torch.zeros_like(df)))
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    df = D(f); g_loss = 0.5 * mse(df, torch.ones_like(df))
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss); sg.step(); sd.step()
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 10))
e = outside.energy(f, table(1000)); outside.say(e < 0.05, energy=e)
