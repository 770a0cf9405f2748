"""Small TimeGAN for daily load curves: embed with a GRU, train the recovery, then play the game in the embedding space."""
LABEL = {"sick": False, "causes": [],
         "kind": "three phases: an autoencoder is trained first (the adversaries rest), then the game alone on embeddings, then with a smaller learning rate; three optimizers",
         "since": None, "record": "attach"}
import os
import math
import torch
from torch import nn
import torch.nn.functional as F
import outside

T, EMB, NZ = 12, 8, 10


def load_curves(n):
    """two-hourly load of a household district: morning and evening peaks of random size and hour"""
    h = torch.arange(T)[None] * 2.0
    am, pm = 7 + torch.rand(n, 1) * 2, 18 + torch.rand(n, 1) * 2.5
    a, b = 0.4 + 0.5 * torch.rand(n, 1), 0.7 + 0.6 * torch.rand(n, 1)
    base = 0.3 + 0.15 * torch.rand(n, 1)
    y = base + a * torch.exp(-0.5 * ((h - am) / 1.8) ** 2) + b * torch.exp(-0.5 * ((h - pm) / 2.2) ** 2)
    return (y + 0.02 * torch.randn(n, T)).unsqueeze(-1)


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 24, batch_first=True)
        self.out = nn.Linear(24, EMB)

    def forward(self, x):
        return torch.tanh(self.out(self.rnn(x)[1][0]))


class Recovery(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(EMB, 64), nn.ELU(), nn.Linear(64, T))

    def forward(self, h):
        return self.net(h).unsqueeze(-1)


class Sampler(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(NZ, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, EMB), nn.Tanh())

    def forward(self, z):
        return self.net(z)


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(EMB, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))

    def forward(self, h):
        return self.net(h)


def phase_autoencoder(emb, rec, data, steps):
    opt = torch.optim.Adam(list(emb.parameters()) + list(rec.parameters()), lr=3e-3)
    for i in range(steps):
        x = data[torch.randint(len(data), (64,))]
        h = emb(x)
        loss = F.mse_loss(rec(h + 0.03 * torch.randn_like(h)), x)
        opt.zero_grad(); loss.backward(); opt.step()
    print("autoencoder", loss.item())


def phase_game(sampler, judge, codes, opt_s, opt_j, steps):
    for i in range(steps):
        h = codes[torch.randint(len(codes), (64,))].clone().requires_grad_(True)
        fake = sampler(torch.randn(64, NZ))
        real_score = judge(h)
        reg = torch.autograd.grad(real_score.sum(), h, create_graph=True)[0].pow(2).sum(1).mean()
        loss_j = F.softplus(-real_score).mean() + F.softplus(judge(fake.detach())).mean() + 0.02 * reg
        opt_j.zero_grad(); loss_j.backward(); opt_j.step()
        loss_s = F.softplus(-judge(fake)).mean()
        opt_s.zero_grad(); loss_s.backward(); opt_s.step()
    print("game", loss_j.item(), loss_s.item())


def main():
    seed = int(os.environ.get("SEED", "0"))
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data, test = load_curves(4000), load_curves(1000)
    emb, rec, sampler, judge = Embedder(), Recovery(), Sampler(), Judge()
    opt_s = torch.optim.Adam(sampler.parameters(), lr=1e-3, betas=(0.5, 0.9))
    opt_j = torch.optim.Adam(judge.parameters(), lr=1e-3, betas=(0.5, 0.9))
    phase_autoencoder(emb, rec, data, 800)
    with torch.no_grad():
        codes = emb(data)
    phase_game(sampler, judge, codes, opt_s, opt_j, 2000)
    for opt in (opt_s, opt_j):
        opt.param_groups[0]["lr"] = 2e-4
    phase_game(sampler, judge, codes, opt_s, opt_j, 1000)
    with torch.no_grad():
        made = rec(sampler(torch.randn(1000, NZ))).squeeze(-1)
    test = test.squeeze(-1)
    peak = float(made.amax(1).std() / test.amax(1).std())
    ed = outside.energy(made, test)
    outside.say(ed < 0.03 and 0.7 < peak < 1.25, energy=ed, peak_spread=peak)


main()
