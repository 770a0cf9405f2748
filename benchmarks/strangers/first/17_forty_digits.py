"""Thirty digits only, wide MLP nets trained for long: D knows its 30 images by heart."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "discriminator_dominance"], "kind": "30 training images only", "since": None, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits(); x = x[torch.randperm(len(x))]; small, rest = x[:30], x[30:]
G = nn.Sequential(nn.Linear(16, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.999))
l = nn.BCEWithLogitsLoss()
def train(n):
    for _ in range(n):
        r = small[torch.randint(30, (30,))]; f = G(torch.randn(30, 16))
        od.zero_grad(); (l(D(r), torch.ones(30, 1)) + l(D(f.detach()), torch.zeros(30, 1))).backward(); od.step()
        og.zero_grad(); l(D(f), torch.ones(30, 1)).backward(); og.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True): train(1200)
G.eval()
with torch.no_grad():
    f = G(torch.randn(600, 16)); held, seen = D(rest[:500]).mean(), D(small).mean(); fk = D(f).mean()
    copy = torch.cdist(f.flatten(1), small.flatten(1)).min(1).values.mean() / torch.cdist(rest[:300].flatten(1), small.flatten(1)).min(1).values.mean()
e = outside.energy(f, rest); outside.say((seen - held) < 0.5 * (seen - fk) and copy > 0.6, energy=e, held=float(held), seen=float(seen), fake=float(fk), copy=float(copy))
