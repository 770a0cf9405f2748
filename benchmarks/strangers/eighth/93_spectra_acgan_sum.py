"""AC-GAN on absorption spectra of five gases; losses are summed over the batch and printed as such."""
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "unusual: AC-GAN whose losses are sums over the batch (values in the hundreds), one-sided smoothing, probability output",
         "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))

LINES = [(6, 20), (10, 31), (14, 26), (18, 36), (28, 3)]


class GasSpectra:
    length, classes = 40, 5

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def draw(self, n, gas=None):
        gas = self.rng.integers(0, self.classes, n) if gas is None else gas
        nu = np.arange(self.length)[None]
        a = np.zeros((n, self.length))
        for k in range(2):
            centre = np.array([LINES[g][k] for g in gas])[:, None] + self.rng.normal(0, .3, (n, 1))
            depth = self.rng.uniform(.6, 1.0, (n, 1))
            a += depth / (1 + ((nu - centre) / 2.0) ** 2)
        t = np.exp(-a) + self.rng.normal(0, .01, a.shape)
        return torch.tensor(t * 2 - 1, dtype=torch.float32), torch.as_tensor(gas)


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.label = nn.Embedding(5, 20)
        self.net = nn.Sequential(nn.Linear(20, 80), nn.LayerNorm(80), nn.LeakyReLU(.2), nn.Linear(80, 120), nn.LeakyReLU(.2), nn.Linear(120, 40))

    def forward(self, z, y):
        return self.net(z * self.label(y))


class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Unflatten(1, (1, 40)), nn.Conv1d(1, 12, 5, 2, 2), nn.LeakyReLU(.2),
                                      nn.Conv1d(12, 24, 5, 2, 2), nn.LeakyReLU(.2), nn.Flatten(), nn.Dropout(.1))
        self.adv, self.aux = nn.Linear(240, 1), nn.Linear(240, 5)

    def forward(self, x):
        h = self.features(x)
        return torch.sigmoid(self.adv(h)), self.aux(h)


def train(path, steps=1400, batch=100):
    source = GasSpectra(SEED + 10)
    xs, ys = source.draw(8000)
    G, D = Gen(), Disc()
    g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(.5, .999))
    d_opt = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(.5, .999))
    rec = gandiag.Recorder(path, generator=G, discriminator=D, generator_optimizer=g_opt,
                           discriminator_optimizer=d_opt, discriminator_output="probability")
    bce, ce = nn.BCELoss(reduction="sum"), nn.CrossEntropyLoss(reduction="sum")
    for step in range(steps):
        j = torch.randint(len(xs), (batch,))
        x, y = xs[j], ys[j]
        want = torch.randint(5, (batch,))
        fake = G(torch.randn(batch, 20), want)
        p_real, c_real = D(x)
        p_fake, c_fake = D(fake.detach())
        d_loss = bce(p_real, torch.full_like(p_real, .9)) + bce(p_fake, torch.zeros_like(p_fake)) + ce(c_real, y)
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
        p, c = D(fake)
        g_loss = bce(p, torch.ones_like(p)) + .3 * ce(c, want)
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
        rec.step(d_loss=d_loss, g_loss=g_loss, real=x, fake=fake)
        if step % 500 == 0:
            print(step, f"D {d_loss.item():.1f} G {g_loss.item():.1f}")
    rec.close()
    return G


if __name__ == "__main__":
    torch.set_num_threads(1)
    random.seed(SEED), np.random.seed(SEED), torch.manual_seed(SEED)
    G = train(sys.argv[1])
    check = GasSpectra(777)
    want = np.repeat(np.arange(5), 200)
    real, _ = check.draw(1000, want)
    with torch.no_grad():
        fake = G(torch.randn(1000, 20), torch.as_tensor(want))
    reference = torch.stack([real[want == k].mean(0) for k in range(5)])
    accuracy = float((torch.cdist(fake, reference).argmin(1).numpy() == want).mean())
    e = outside.energy(fake, real)
    worst = max(outside.energy(fake[want == k], real[want == k]) for k in range(5))
    outside.say(accuracy > .9 and worst < .25, accuracy=accuracy, energy=e, worst_class=worst)
