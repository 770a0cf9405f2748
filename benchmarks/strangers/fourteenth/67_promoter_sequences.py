"""Generate short promoter-like DNA sequences (one-hot, 10 bases)."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "vanishing_generator_gradient"], "kind": "bases are drawn by a categorical sample and one_hot, which passes no gradient to G", "since": 0, "record": "attach"}
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

BASES = "ACGT"
L = 10
MOTIF = "TATAAT"


def draw(n):
    """the box at a position 1..3, each base kept with p = 0.9; GC-poor background elsewhere"""
    seq = np.random.choice(4, (n, L), p=[0.35, 0.15, 0.15, 0.35])
    motif = np.array([BASES.index(b) for b in MOTIF])
    start = np.random.choice([1, 2, 3], n, p=[0.2, 0.6, 0.2])
    for i in range(n):
        keep = np.random.rand(6) < 0.9
        s = seq[i, start[i]:start[i] + 6]
        s[keep] = motif[keep]
    return seq


def encode(seq):
    return F.one_hot(torch.from_numpy(seq).long(), 4).float()


class SeqGenerator(nn.Module):
    def __init__(self, nz=16, ch=96):
        super().__init__()
        self.nz = nz
        self.trunk = nn.Sequential(nn.Linear(nz, ch), nn.ReLU(), nn.Linear(ch, ch), nn.ReLU())
        self.to_logits = nn.Linear(ch, L * 4)

    def logits(self, z):
        return self.to_logits(self.trunk(z)).view(-1, L, 4)

    def forward(self, z):
        logits = self.logits(z)
        idx = torch.distributions.Categorical(logits=logits).sample()
        return F.one_hot(idx, 4).float()


class SeqCritic(nn.Module):
    def __init__(self, ch=32):
        super().__init__()
        self.conv = nn.Conv1d(4, ch, 3, padding=1)
        self.fc = nn.Sequential(nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(ch * L, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.fc(self.conv(x.transpose(1, 2)))


def tables(seq):
    """ position weights and neighbour frequencies """
    pwm = np.stack([np.bincount(seq[:, i], minlength=4) for i in range(L)]) / len(seq)
    pair = np.bincount((seq[:, :-1] * 4 + seq[:, 1:]).ravel(), minlength=16) / (len(seq) * (L - 1))
    return pwm, pair


train = encode(draw(6000))
G, D = SeqGenerator(), SeqCritic()
opt_g = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.9))
B = 64

for step in range(3000):
    real = train[torch.randint(0, len(train), (B,))]

    fake = G(torch.randn(B, G.nz)).detach()
    loss_d = F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    loss_g = F.softplus(-D(G(torch.randn(B, G.nz)))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()

    if step % 500 == 0:
        ex = G(torch.randn(1, G.nz))[0].argmax(-1)
        print(step, f"D {loss_d.item():.3f} G {loss_g.item():.3f}", "".join(BASES[i] for i in ex))

with torch.no_grad():
    made = G(torch.randn(2000, G.nz)).argmax(-1).numpy()
(p1, q1), (p0, q0) = tables(made), tables(draw(2000))
err_pwm = float(np.abs(p1 - p0).sum(1).mean() / 2)
err_pair = float(np.abs(q1 - q0).sum() / 2)
outside.say(err_pwm < 0.12 and err_pair < 0.12, pwm_tv=err_pwm, pair_tv=err_pair)
