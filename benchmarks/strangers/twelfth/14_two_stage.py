"""Little 8x8 icons (disks, crosses, frames) in two stages: first the easy set, then the full set from the second folder."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "the second stage's loader lacks the transform: pixels 0..255 instead of -1..1 against a tanh generator", "since": 1400, "record": "lines"}
import os, sys, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def icons(n, kinds, rng):
    out = np.zeros((n, 8, 8), "float32")
    yy, xx = np.mgrid[:8, :8]
    for i in range(n):
        k, r = rng.choice(kinds), rng.uniform(1.5, 3.5)
        cy, cx = rng.uniform(3, 4, 2)
        if k == "disk":
            m = np.hypot(yy - cy, xx - cx) / r
            out[i] = np.clip(2 - 1.5 * m, 0, 1)
        elif k == "cross":
            out[i] = np.clip(1.5 - np.minimum(abs(yy - cy), abs(xx - cx)), 0, 1) * (np.maximum(abs(yy - cy), abs(xx - cx)) <= r)
        else:
            out[i] = np.clip(1.3 - abs(np.maximum(abs(yy - cy), abs(xx - cx)) - r), 0, 1)
    return torch.from_numpy(out * 255.0).view(n, 64)


rng = np.random.default_rng(SEED)
easy = icons(1500, ["disk"], rng)
full = icons(3000, ["disk", "cross", "frame"], rng)
to_unit = lambda x: x / 127.5 - 1
stages = [(easy, to_unit, 1400), (full, None, 1600)]

G = nn.Sequential(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(.2), nn.Dropout(.2), nn.Linear(128, 64), nn.LeakyReLU(.2), nn.Linear(64, 1), nn.Sigmoid())
g_opt = torch.optim.Adam(G.parameters(), 1e-3, betas=(.5, .99))
d_opt = torch.optim.Adam(D.parameters(), 5e-4, betas=(.5, .99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
for data, tf, n in stages:
    for _ in range(n):
        x = data[torch.randint(len(data), (64,))]
        if tf: x = tf(x)
        f = G(torch.randn(64, 16))
        pr, pf = D(x), D(f.detach())
        d_loss = F.binary_cross_entropy(pr, torch.full_like(pr, .9)) + F.binary_cross_entropy(pf, torch.zeros_like(pf))
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        p = D(f)
        g_loss = F.binary_cross_entropy(p, torch.ones_like(p))
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
G.eval()
with torch.no_grad():
    e = outside.energy(G(torch.randn(1000, 16)), to_unit(full[:1000]))
outside.say(e < 0.05, energy=e)
