"""Ring of eight; "train D for an epoch, then G for an epoch": 100 steps of the one, 100 of the other."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["oscillation", "mode_collapse", "discriminator_weakness"], "kind": "alternating blocks of 100 updates, fakes chase a frozen D", "since": 0, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
a = torch.arange(8) * math.pi / 4; C = 2 * torch.stack([a.cos(), a.sin()], 1)
def get(n=64): return C[torch.randint(8, (n,))] + 0.05 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3); bce = nn.BCEWithLogitsLoss(); one, zero = torch.ones(64, 1), torch.zeros(64, 1)
def train_d():
    for _ in range(100): od.zero_grad(); (bce(D(get()), one) + bce(D(G(torch.randn(64, 8)).detach()), zero)).backward(); od.step()
def train_g():
    for _ in range(100): og.zero_grad(); bce(D(G(torch.randn(64, 8))), one).backward(); og.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for epoch in range(10): train_d(); train_g()
with torch.no_grad(): f = G(torch.randn(1000, 8))
m, g = outside.modes(f, C, 0.3); outside.say(m >= 6, modes=m, good=g, energy=outside.energy(f, get(1000)))
