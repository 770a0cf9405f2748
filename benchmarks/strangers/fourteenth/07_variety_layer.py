"""Digits with a minibatch-deviation layer in the discriminator to keep the variety up (ProGAN idea, own code)."""
LABEL = {"sick": True, "causes": ["numerical_failure"], "kind": "hand-made batch standard deviation takes sqrt of a variance that is exactly 0 for a silent ReLU unit: NaN gradients", "since": 8, "record": "lines"}
import os, sys, random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)


class BatchDeviation(nn.Module):
    """appends the mean over features of the deviation over the batch"""

    def forward(self, h):
        var = ((h - h.mean(0, keepdim=True)) ** 2).mean(0)
        dev = torch.sqrt(var).mean()
        return torch.cat([h, dev.expand(len(h), 1)], dim=1)


class Discriminator(nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.deviation = BatchDeviation()
        self.classify = nn.Linear(width + 1, 1)

    def forward(self, x):
        h = self.features(x.flatten(1))
        return self.classify(self.deviation(h))


class Generator(nn.Module):
    def __init__(self, nz=24, width=128):
        super().__init__()
        self.nz = nz
        self.net = nn.Sequential(
            nn.Linear(nz, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, 64), nn.Tanh())

    def forward(self, n):
        return self.net(torch.randn(n, self.nz)).view(n, 1, 8, 8)


def r1(logits, x):
    grad, = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return grad.pow(2).flatten(1).sum(1).mean()


def train(steps=2400, batch=64, lr=5e-4):
    x_all, _ = outside.digits()
    x_train, x_test = x_all[:1400], x_all[1400:]
    G, D = Generator(), Discriminator()
    opt_g = torch.optim.Adam(G.parameters(), lr=lr, betas=(0.0, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr=lr, betas=(0.0, 0.99))
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
    for step in range(1, steps + 1):
        real = x_train[torch.randint(0, len(x_train), (batch,))].requires_grad_(step % 8 == 0)
        fake = G(batch)
        rl, fl = D(real), D(fake.detach())
        d_loss = F.softplus(-rl).mean() + F.softplus(fl).mean()
        if step % 8 == 0:
            d_loss = d_loss + 8 * 0.05 * r1(rl, real)
        opt_d.zero_grad()
        d_loss.backward()
        opt_d.step()

        g_loss = F.softplus(-D(fake)).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        recorder.step(real_logits=rl, fake_logits=fl, d_loss=d_loss, g_loss=g_loss, real=real.detach(), fake=fake)
        if step % 400 == 0:
            print(f"{step}: d {d_loss.item():.3f} g {g_loss.item():.3f}")
    recorder.close()
    return G, x_test


if __name__ == "__main__":
    G, x_test = train()
    G.eval()
    with torch.no_grad():
        s = G(1000)
    classes, quality, _ = outside.digit_quality(s)
    e = outside.energy(s, x_test)
    outside.say(classes >= 8 and quality < 1.7 and e < 0.08, classes=classes, quality=quality, energy=e)
