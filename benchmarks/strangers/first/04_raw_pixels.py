"""Digits of raw values 0..16 against a generator that ends in tanh, WGAN-GP trainer class."""
import os, sys, torch
from torch import nn, autograd
import gandiag, outside
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "pixels 0..16, tanh generator", "since": 0, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
class Trainer:
    def __init__(self, data, latent=16, lam=10.0):
        self.data, self.latent, self.lam = data, latent, lam
        self.G = nn.Sequential(nn.Linear(latent, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
        self.D = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
        self.og = torch.optim.Adam(self.G.parameters(), lr=1e-4, betas=(0.0, 0.9)); self.od = torch.optim.Adam(self.D.parameters(), lr=1e-4, betas=(0.0, 0.9))
    def penalty(self, r, f):
        a = torch.rand(len(r), 1, 1, 1); x = (a * r + (1 - a) * f).requires_grad_()
        g, = autograd.grad(self.D(x).sum(), x, create_graph=True)
        return self.lam * ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()
    def critic_step(self):
        r = self.data[torch.randint(len(self.data), (64,))]
        with torch.no_grad(): f = self.G(torch.randn(64, self.latent))
        loss = self.D(f).mean() - self.D(r).mean() + self.penalty(r, f)
        self.od.zero_grad(); loss.backward(); self.od.step()
    def gen_step(self):
        loss = -self.D(self.G(torch.randn(64, self.latent))).mean()
        self.og.zero_grad(); loss.backward(); self.og.step()
    def fit(self, n):
        for _ in range(n):
            for _ in range(3): self.critic_step()
            self.gen_step()
raw, _ = outside.digits(scale=False)
t = Trainer(raw)
with gandiag.Recorder(sys.argv[1], generator=t.G, discriminator=t.D, generator_optimizer=t.og, discriminator_optimizer=t.od, automatic=True): t.fit(500)
with torch.no_grad(): f = t.G(torch.randn(600, 16))
e = outside.energy(f, raw[torch.randperm(len(raw))]); outside.say(e < 0.1, energy=e, top=float(f.max()))
