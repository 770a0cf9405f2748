"""Conditional GAN of vibration spectra: give me spectra of the rarer bearing faults."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "spectra and fault codes are shuffled by two different permutations, so the labels are those of other rows", "since": 0, "record": "attach"}
import os
import random
from dataclasses import dataclass
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)


@dataclass
class Config:
    seed: int = int(os.environ.get("SEED", "0"))
    n_bins: int = 20
    n_rows: int = 6000
    z: int = 24
    emb: int = 6
    hidden: int = 96
    batch: int = 64
    epochs: int = 30
    lr_g: float = 3e-4
    lr_d: float = 6e-4


cfg = Config()
random.seed(cfg.seed)
np.random.seed(cfg.seed)
torch.manual_seed(cfg.seed)

NAMES = ["healthy", "inner race", "outer race", "ball"]
FREQ = np.arange(cfg.n_bins)
TEMPLATE = np.stack([
    np.exp(-FREQ / 6.0),
    np.exp(-0.5 * ((FREQ - 5) / 1.2) ** 2) + 0.5 * np.exp(-0.5 * ((FREQ - 10) / 1.2) ** 2),
    np.exp(-0.5 * ((FREQ - 8) / 1.2) ** 2) + 0.5 * np.exp(-0.5 * ((FREQ - 16) / 1.2) ** 2),
    np.exp(-0.5 * ((FREQ - 13) / 2.0) ** 2)])


def measure(n):
    y = np.random.choice(4, n, p=[0.4, 0.2, 0.2, 0.2])
    gain = np.random.uniform(1.0, 2.0, (n, 1))
    x = gain * TEMPLATE[y] + 0.1 * np.random.randn(n, cfg.n_bins)
    return x.astype("float32"), y


class Dataset:
    def __init__(self, n):
        self.x, self.y = measure(n)
        order = np.argsort(self.y, kind="stable")         # as it comes from the archive: one folder per fault
        self.x, self.y = self.x[order], self.y[order]

    def batches(self, size):
        x = np.random.permutation(self.x)
        y = np.random.permutation(self.y)
        for i in range(0, len(x) - size + 1, size):
            yield torch.from_numpy(x[i:i + size]), torch.from_numpy(y[i:i + size])


class CondG(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(4, cfg.emb)
        self.net = nn.Sequential(nn.Linear(cfg.z + cfg.emb, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, cfg.n_bins))

    def forward(self, z, y):
        return self.net(torch.cat([z, self.emb(y)], 1))


class CondD(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(4, cfg.emb)
        self.net = nn.Sequential(nn.Linear(cfg.n_bins + cfg.emb, cfg.hidden), nn.LeakyReLU(0.2), nn.Linear(cfg.hidden, cfg.hidden), nn.LeakyReLU(0.2), nn.Linear(cfg.hidden, 1))

    def forward(self, x, y):
        return self.net(torch.cat([x, self.emb(y)], 1))


G, D = CondG(), CondD()
opt_g = torch.optim.Adam(G.parameters(), lr=cfg.lr_g, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=cfg.lr_d, betas=(0.5, 0.999))
data = Dataset(cfg.n_rows)
for epoch in range(cfg.epochs):
    for x, y in data.batches(cfg.batch):
        fake = G(torch.randn(len(x), cfg.z), y)
        blur = max(0.0, 0.6 * (1 - epoch / (0.7 * cfg.epochs)))       # instance noise, fading out
        r, f = (D(v + blur * torch.randn_like(v), y) for v in (x, fake.detach()))
        loss_d = F.binary_cross_entropy_with_logits(r, torch.ones_like(r)) + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
        opt_d.zero_grad(); loss_d.backward(); opt_d.step()
        f = D(fake + blur * torch.randn_like(fake), y)
        loss_g = F.binary_cross_entropy_with_logits(f, torch.ones_like(f))
        opt_g.zero_grad(); loss_g.backward(); opt_g.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch}: D {loss_d.item():.3f} G {loss_g.item():.3f}")

want = np.arange(1000) % 4
with torch.no_grad():
    made = G(torch.randn(1000, cfg.z), torch.from_numpy(want)).numpy()
unit = TEMPLATE / np.linalg.norm(TEMPLATE, axis=1, keepdims=True)
got = (made @ unit.T).argmax(1)
acc = float((got == want).mean())
tx, ty = measure(4000)
e = float(np.mean([outside.energy(made[want == c], tx[ty == c]) for c in range(4)]))
shares = np.bincount(got, minlength=4) / len(got)
outside.say(acc > 0.85 and e < 0.2, wanted_class=acc, energy_per_class=e, least_class=float(shares.min()))
