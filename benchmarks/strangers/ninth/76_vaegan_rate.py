"""VAE-GAN (Larsen et al.): encoder, decoder, discriminator with a learned similarity in D's features. One YAML-like dict, three optimizers."""
import os, sys, random
import numpy as np
import torch
from torch import nn, optim
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse", "dead_layers", "discriminator_dominance"],
         "kind": "learning rates of 0.05 for all nets under Adam (two orders of magnitude too high)",
         "since": 0, "record": "automatic"}

hp = {
    "seed": int(os.environ.get("SEED", "0")),
    "optim": {"lr": 5e-2, "betas": (0.5, 0.999)},
    "latent": 12, "batch": 64, "steps": 900,
    "beta_kl": 0.05, "gamma": 0.5,
}
random.seed(hp["seed"]); np.random.seed(hp["seed"]); torch.manual_seed(hp["seed"]); torch.set_num_threads(1)


class Enc(nn.Module):
    def __init__(self, l):
        super().__init__()
        self.h = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.mu, self.lv = nn.Linear(128, l), nn.Linear(128, l)

    def forward(self, x):
        h = self.h(x)
        return self.mu(h), self.lv(h).clamp(-6, 4)


class Dec(nn.Module):
    def __init__(self, l):
        super().__init__()
        self.h = nn.Sequential(nn.Linear(l, 128), nn.ReLU(), nn.Linear(128, 160), nn.ReLU(), nn.Linear(160, 64), nn.Tanh())

    def forward(self, z):
        return self.h(z)


class Dis(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat = nn.Sequential(nn.Linear(64, 160), nn.LeakyReLU(.2), nn.Linear(160, 96), nn.LeakyReLU(.2))
        self.last = nn.Linear(96, 1)

    def forward(self, x):
        return self.last(self.feat(x))


x_all = outside.digits()[0].flatten(1)
E, G, D = Enc(hp["latent"]), Dec(hp["latent"]), Dis()
oE, oG, oD = (optim.Adam(m.parameters(), **hp["optim"]) for m in (E, G, D))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=oG, discriminator_optimizer=oD, automatic=True)

for step in range(hp["steps"]):
    x = x_all[torch.randint(len(x_all), (hp["batch"],))]
    mu, lv = E(x)
    z = mu + torch.randn_like(mu) * (lv / 2).exp()
    zp = torch.randn_like(mu)

    real, recon, prior = D(x), D(G(z).detach()), D(G(zp).detach())
    loss_D = F.softplus(-real).mean() + .5 * (F.softplus(recon).mean() + F.softplus(prior).mean())
    oD.zero_grad(); loss_D.backward(); oD.step()

    xr = G(z)
    sim = F.mse_loss(D.feat(xr), D.feat(x).detach()) + F.mse_loss(xr, x)
    kl = .5 * (mu ** 2 + lv.exp() - 1 - lv).mean()
    oE.zero_grad(); (sim + hp["beta_kl"] * kl).backward(retain_graph=True)
    gan = F.softplus(-D(G(zp))).mean() + .5 * F.softplus(-D(xr)).mean()
    oG.zero_grad(); (hp["gamma"] * sim + gan).backward()
    oE.step(); oG.step()
rec.close()

with torch.no_grad():
    s = G(torch.randn(1000, hp["latent"]))
e = outside.energy(s, x_all[torch.randperm(len(x_all))])
classes, dist, _ = outside.digit_quality(s)
outside.say(e < .2 and classes >= 7, energy=e, classes=classes, dist=dist)
