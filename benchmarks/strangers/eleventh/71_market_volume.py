"""Minute bars of a thinly traded stock: price move, spread, and log traded volume; the table is standardised batch by batch before it enters the critic."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "log of a volume which now and then is zero gives -inf, the standardised batch is nan, so are the weights", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
rng = np.random.default_rng(SEED)

def bars(n):
    vol = rng.lognormal(4, 0.9, n).round() * (rng.random(n) > 1e-5)
    move = rng.normal(size=n) * 0.4 * np.maximum(vol, 1) ** 0.2
    spread = 0.5 + 0.3 * rng.gamma(2.0, 1.0, n)
    return np.stack([move, spread, vol], 1)

def features(b):
    b = b.copy()
    b[:, 2] = np.log(b[:, 2])
    x = torch.tensor(b, dtype=torch.float32)
    return (x - x.mean(0)) / x.std(0)

np.seterr(divide="ignore", invalid="ignore")
G = nn.Sequential(nn.Linear(6, 64), nn.LeakyReLU(0.1), nn.Linear(64, 64), nn.LeakyReLU(0.1), nn.Linear(64, 3))
D = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(0.1), nn.Linear(64, 64), nn.LeakyReLU(0.1), nn.Linear(64, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
bce = nn.functional.binary_cross_entropy_with_logits
for step in range(2500):
    x = features(bars(128))
    f = G(torch.randn(128, 6))
    r, s = D(x), D(f.detach())
    d_loss = bce(r, torch.ones_like(r)) + bce(s, torch.zeros_like(s))
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    s = D(f)
    g_loss = bce(s, torch.ones_like(s))
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    out = G(torch.randn(1000, 6))
ref = bars(1000); ref = ref[ref[:, 2] > 0]
e = outside.energy(out, features(ref))
outside.say(e < 0.05, energy=e)
