"""Dosage table (6 columns) by a GAN set up from a configuration dictionary."""
LABEL = {"sick": False, "causes": [], "kind": "healthy least-squares GAN on a small table, from a configuration", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

CONFIG = json.loads("""
{
  "latent": 8,
  "generator": {"hidden": [96, 96], "lr": 1e-3, "betas": [0.5, 0.95]},
  "discriminator": {"hidden": [96, 96], "lr": 1e-3, "betas": [0.5, 0.95]},
  "loss": "ls",
  "batch_size": 96,
  "epochs": 20,
  "smoothing": 0.0
}
""")

def pharmacy(n):
    weight = 70 + 14 * torch.randn(n)
    child = torch.rand(n) < 0.3
    weight = torch.where(child, 25 + 7 * torch.randn(n), weight)
    dose = weight * (4 + 0.6 * torch.randn(n))
    doses = torch.where(child, 3 + 0.3 * torch.randn(n), 2 + 0.3 * torch.randn(n))
    days = 7 + 2 * torch.randn(n)
    clearance = 0.8 * weight + 8 * torch.randn(n)
    level = dose * doses / (clearance.clamp_min(5) * 10) + 0.2 * torch.randn(n)
    return torch.stack([weight, dose, doses, days, clearance, level], 1)

def network(n_in, spec, n_out):
    mods = []
    for h in spec["hidden"]:
        mods += [nn.Linear(n_in, h), nn.LeakyReLU(0.2)]
        n_in = h
    return nn.Sequential(*mods, nn.Linear(n_in, n_out))

LOSSES = {
    "ls": (lambda r, f: ((r - 1) ** 2).mean() + (f ** 2).mean(), lambda f: ((f - 1) ** 2).mean()),
    "ns": (lambda r, f: nn.functional.softplus(-r).mean() + nn.functional.softplus(f).mean(), lambda f: nn.functional.softplus(-f).mean()),
}

class Pipeline:
    def __init__(self, cfg, table):
        self.cfg = cfg
        self.mu, self.sd = table.mean(0), table.std(0).clamp_min(1e-6)
        self.table = (table - self.mu) / self.sd
        self.G = network(cfg["latent"], cfg["generator"], table.shape[1])
        self.D = network(table.shape[1], cfg["discriminator"], 1)
        self.oG = torch.optim.Adam(self.G.parameters(), lr=cfg["generator"]["lr"], betas=cfg["generator"]["betas"])
        self.oD = torch.optim.Adam(self.D.parameters(), lr=cfg["discriminator"]["lr"], betas=cfg["discriminator"]["betas"])

    def noise(self, n):
        return torch.randn(n, self.cfg["latent"])

    def train(self):
        d_fn, g_fn = LOSSES[self.cfg["loss"]]
        for _ in range(self.cfg["epochs"]):
            for idx in torch.randperm(len(self.table)).split(self.cfg["batch_size"]):
                real = self.table[idx]
                loss = d_fn(self.D(real), self.D(self.G(self.noise(len(real))).detach()))
                self.oD.zero_grad()
                loss.backward()
                self.oD.step()
                loss = g_fn(self.D(self.G(self.noise(len(real)))))
                self.oG.zero_grad()
                loss.backward()
                self.oG.step()

pipe = Pipeline(CONFIG, pharmacy(5000))
with gandiag.Recorder(sys.argv[1], generator=pipe.G, discriminator=pipe.D, generator_optimizer=pipe.oG, discriminator_optimizer=pipe.oD, automatic=True):
    pipe.train()

with torch.no_grad():
    s = pipe.G(pipe.noise(1000))
e = outside.energy(s, (pharmacy(1000) - pipe.mu) / pipe.sd)
outside.say(e < 0.03, energy=e)
