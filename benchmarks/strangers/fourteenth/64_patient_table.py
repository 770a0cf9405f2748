"""Synthetic patient table: three numeric columns and one ward code, so colleagues can test their SQL."""
LABEL = {"sick": False, "causes": [], "kind": "packed discriminator (two rows at once), soft one-hot columns, one-sided smoothing: D never gets far, yet the table is right", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from gandiag.recording import Recorder
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

cfg = dict(z=16, width=96, tau=0.4, pac=2, batch=128, steps=2600, lr_g=4e-4, lr_d=8e-4, smooth=0.9)
WARDS = ["cardio", "surgery", "icu", "paediatrics"]
P_WARD = np.array([0.4, 0.3, 0.18, 0.12])


def admit(n):
    w = np.random.choice(4, n, p=P_WARD)
    age = np.array([66., 52., 60., 8.])[w] + np.array([9., 14., 12., 3.5])[w] * np.random.randn(n)
    stay = np.random.gamma(2.0, np.array([2.0, 1.5, 4.0, 1.2])[w])
    crp = np.exp(np.array([1.5, 2.5, 3.5, 1.0])[w] + 0.5 * np.random.randn(n))
    num = np.stack([(age - 50) / 22, (np.log1p(stay) - 1.5) / 0.6, (np.log(crp) - 2.2) / 1.0], 1)
    return torch.tensor(np.concatenate([num, np.eye(4)[w]], 1), dtype=torch.float32)


class RowMaker(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tau = c["tau"]
        self.body = nn.Sequential(
            nn.Linear(c["z"], c["width"]), nn.BatchNorm1d(c["width"]), nn.ReLU(),
            nn.Linear(c["width"], c["width"]), nn.BatchNorm1d(c["width"]), nn.ReLU())
        self.num = nn.Linear(c["width"], 3)
        self.cat = nn.Linear(c["width"], 4)

    def forward(self, z):
        h = self.body(z)
        return torch.cat([self.num(h), F.gumbel_softmax(self.cat(h), tau=self.tau, hard=not self.training)], 1)


class PacJudge(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.pac = c["pac"]
        self.net = nn.Sequential(
            nn.Linear(7 * self.pac, c["width"]), nn.LeakyReLU(0.2), nn.Dropout(0.2),
            nn.Linear(c["width"], c["width"]), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(c["width"], 1))

    def forward(self, rows):
        return self.net(rows.reshape(-1, 7 * self.pac))


def soften(rows):
    """ real codes get the same kind of softness that the Gumbel samples have """
    code = rows[:, 3:] + 0.2 * torch.rand(len(rows), 4)
    return torch.cat([rows[:, :3], code / code.sum(1, keepdim=True)], 1)


table = admit(10000)
G, D = RowMaker(cfg), PacJudge(cfg)
opt_g = torch.optim.Adam(G.parameters(), lr=cfg["lr_g"], betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=cfg["lr_d"], betas=(0.5, 0.9))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
for step in range(cfg["steps"]):
    real = soften(table[torch.randint(0, len(table), (cfg["batch"],))])
    fake = G(torch.randn(cfg["batch"], cfg["z"]))
    r, f = D(real), D(fake.detach())
    loss_d = F.binary_cross_entropy_with_logits(r, torch.full_like(r, cfg["smooth"])) + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
    opt_d.zero_grad(); loss_d.backward(); opt_d.step()
    f = D(fake)
    loss_g = F.binary_cross_entropy_with_logits(f, torch.ones_like(f))
    opt_g.zero_grad(); loss_g.backward(); opt_g.step()
    if step % 400 == 0:
        print(f"[{step}] d={loss_d.item():.3f} g={loss_g.item():.3f}")
recorder.close()

G.eval()
with torch.no_grad():
    made = G(torch.randn(1000, cfg["z"]))
fresh = admit(1000)
share = np.bincount(made[:, 3:].argmax(1).numpy(), minlength=4) / 1000
tv = 0.5 * float(np.abs(share - P_WARD).sum())
e = outside.energy(made, fresh)
outside.say(e < 0.05 and tv < 0.15, energy=e, ward_tv=tv)
