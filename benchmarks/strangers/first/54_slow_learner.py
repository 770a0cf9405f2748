"""Banana; a slow, patient training at 1e-4 that is still improving when it ends."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "slow rates, still improving at the end", "since": None, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def banana(n): a = torch.randn(n); return torch.stack([a, 0.5 * a * a - 0.5 + 0.3 * torch.randn(n)], 1)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-4, (0.5, 0.99)); sp = nn.functional.softplus; es = []
def score():
    state = torch.get_rng_state()
    with torch.no_grad(): es.append(outside.energy(G(torch.randn(1000, 4)), banana(1000)))
    torch.set_rng_state(state)
score()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for s in range(1400):
        f = G(torch.randn(128, 4)); od.zero_grad(); (sp(-D(banana(128))) + sp(D(f.detach()))).mean().backward(); od.step()
        og.zero_grad(); sp(-D(f)).mean().backward(); og.step()
        if s == 700: score()
score(); outside.say(es[2] < 0.04 and es[2] < 0.25 * es[0], start=es[0], half=es[1], end=es[2])
