"""Conditional GAN for daily load curves, given the season code; taken from a MNIST cGAN and fed with our own arrays."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "the curves are shuffled with a permutation that is not applied to their labels, so the condition says nothing about the curve", "since": 0, "record": "lines"}
import os, random, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)
T, K = 24, 4


def load_curves(n=4000):
    """load curves of 24 hours, four seasons"""
    rng = np.random.default_rng(3)
    y = np.repeat(np.arange(K), n // K)
    h = np.arange(T)[None]
    peak = np.array([8, 12, 16, 20])[y][:, None] + rng.normal(0, 1.3, (n, 1))
    width = np.array([2.0, 4.0, 3.0, 2.0])[y][:, None]
    amp = rng.uniform(.6, 1.4, (n, 1))
    x = 1.6 * amp * np.exp(-((h - peak) / width) ** 2) - .7 + rng.normal(0, .06, (n, T))
    return x.astype("float32"), y


def train_test_split(x, y, frac=0.9):
    idx = np.random.permutation(len(x))
    x = x[idx]
    cut = int(frac * len(x))
    return x[:cut], y[:cut], x[cut:], y[cut:]


x_all, y_all = load_curves()
x_tr, y_tr, x_te, y_te = train_test_split(x_all, y_all, 1.0)
x_tr, y_tr = torch.tensor(x_tr), torch.tensor(y_tr)


class G_net(nn.Module):
    def __init__(self, nz=8):
        super().__init__()
        self.emb = nn.Embedding(K, 8)
        self.net = nn.Sequential(nn.Linear(nz + 8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, T))

    def forward(self, z, y):
        return self.net(torch.cat([z, self.emb(y)], 1))


class D_net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(K, 8)
        self.net = nn.Sequential(nn.Linear(T + 8, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))

    def forward(self, x, y):
        return self.net(torch.cat([x, self.emb(y)], 1)).squeeze(1)


G, D = G_net(), D_net()
g_opt = torch.optim.Adam(G.parameters(), 7e-4, betas=(.5, .9))
d_opt = torch.optim.Adam(D.parameters(), 7e-4, betas=(.5, .9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

for it in range(3500):
    pick = torch.randint(len(x_tr), (128,))
    xr, yr = x_tr[pick].clone().requires_grad_(True), y_tr[pick]
    xf = G(torch.randn(128, 8), yr)
    sr = D(xr, yr)
    r1 = torch.autograd.grad(sr.sum(), xr, create_graph=True)[0].square().sum(1).mean()
    d_loss = F.softplus(-sr).mean() + F.softplus(D(xf.detach(), yr)).mean() + 0.05 * r1
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()

    g_loss = F.softplus(-D(xf, yr)).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if it % 500 == 0:
        print(it, round(d_loss.item(), 3), round(g_loss.item(), 3))
rec.close()

with torch.no_grad():
    es = []
    for k in range(K):
        f = G(torch.randn(500, 8), torch.full((500,), k))
        es.append(outside.energy(f, x_all[y_all == k][:500]))
outside.say(max(es) < 0.12, worst_class_energy=max(es), mean_energy=float(np.mean(es)))
