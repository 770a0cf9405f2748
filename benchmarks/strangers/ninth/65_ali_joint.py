"""Adversarially Learned Inference / BiGAN on a 2-D swiss roll. Manual loop in the Lightning fashion: configure_optimizers + training_step."""
import os, sys, random, itertools
import numpy as np, torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault"],
         "kind": "the optimizer of the generator/encoder also holds the parameters of D (chain of all three), so G's step makes D undo its own work",
         "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def roll(n):
    t = np.random.uniform(1.2 * np.pi, 3.6 * np.pi, n)
    p = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 6 + .03 * np.random.randn(n, 2)
    return torch.from_numpy(p.astype("float32"))


def mlp(i, o, h=96, depth=2, act=nn.ELU):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(i, h), act()]
        i = h
    return nn.Sequential(*layers, nn.Linear(i, o))


class ALI(nn.Module):
    def __init__(self, zdim=2, lr=1e-3):
        super().__init__()
        self.zdim, self.lr = zdim, lr
        self.decoder = mlp(zdim, 2)
        self.encoder = mlp(2, 2 * zdim)
        self.critic = mlp(2 + zdim, 1, h=128, depth=2, act=lambda: nn.LeakyReLU(.1))

    def infer(self, x):
        mu, ls = self.encoder(x).chunk(2, 1)
        return mu + torch.randn_like(mu) * ls.clamp(-5, 2).exp()

    def configure_optimizers(self):
        gen = torch.optim.Adam(self.parameters(), lr=self.lr, betas=(.5, .99))
        dis = torch.optim.Adam(self.critic.parameters(), lr=self.lr, betas=(.5, .99))
        return gen, dis

    def logits(self, x, z):
        return self.critic(torch.cat([x, z], 1))

    def training_step(self, x, which):
        z = torch.randn(len(x), self.zdim)
        ctx = torch.no_grad() if which == "dis" else torch.enable_grad()
        with ctx:
            xt, zt = self.decoder(z), self.infer(x)
        q, p = self.logits(x, zt), self.logits(xt, z)
        one, nil = torch.ones_like(q), torch.zeros_like(q)
        if which == "dis":
            return bce(q, one) + bce(p, nil)
        return bce(q, nil) + bce(p, one)


model = ALI()
g_opt, d_opt = model.configure_optimizers()
with gandiag.Recorder(sys.argv[1], generator=model.decoder, discriminator=model.critic,
                      generator_optimizer=g_opt, discriminator_optimizer=d_opt) as rec:
    for step in range(2000):
        batch = roll(128)
        d_loss = model.training_step(batch, "dis")
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        g_loss = model.training_step(batch, "gen")
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss)

with torch.no_grad():
    out = model.decoder(torch.randn(1000, 2))
e = outside.energy(out, roll(1000))
outside.say(e < 0.06, energy=e)
