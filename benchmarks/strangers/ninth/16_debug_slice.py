"""train.py -- GAN for 8x8 digits, non-saturating loss with R1."""
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
import gandiag
import outside

LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting", "mode_dropping", "data_mismatch"],
         "kind": "a [:8] left over from debugging: D and G only ever see eight digits",
         "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))


def set_seed(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)


class Net(nn.Module):
    def __init__(self, i, o, width, tanh=False):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(i, width), nn.Linear(width, width), nn.Linear(width, o)
        self.tanh = tanh

    def forward(self, x):
        x = F.leaky_relu(self.first(x), 0.2)
        x = F.leaky_relu(self.second(x), 0.2)
        x = self.third(x)
        return x.tanh() if self.tanh else x


def r1(logits, x):
    (g,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return g.pow(2).sum(1).mean()


def main(path, steps=1100, bs=32, nz=16):
    set_seed(SEED)
    torch.set_num_threads(1)
    x, y = outside.digits()
    x = x.flatten(1)
    train, test = train_test_split(x.numpy(), test_size=0.3, stratify=y, random_state=SEED)
    train = torch.tensor(train)[:8]
    G, D = Net(nz, 64, 160, tanh=True), Net(64, 1, 160)
    g_optim = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.99))
    d_optim = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.99))
    rec = gandiag.Recorder(path, generator=G, discriminator=D, generator_optimizer=g_optim, discriminator_optimizer=d_optim)
    for step in range(steps):
        real = train[torch.randint(len(train), (bs,))].requires_grad_(True)
        fake = G(torch.randn(bs, nz))
        out_real, out_fake = D(real), D(fake.detach())
        d_loss = F.softplus(-out_real).mean() + F.softplus(out_fake).mean()
        total = d_loss + 0.1 * r1(out_real, real)
        d_optim.zero_grad()
        total.backward()
        d_optim.step()

        g_loss = F.softplus(-D(fake)).mean()
        g_optim.zero_grad()
        g_loss.backward()
        g_optim.step()
        rec.step(d_loss=d_loss, g_loss=g_loss, real=real.detach(), fake=fake.detach())
    rec.close()
    with torch.no_grad():
        s = G(torch.randn(1000, nz))
    e = outside.energy(s, test)
    classes, near, _ = outside.digit_quality(s)
    outside.say(e < 0.025 and classes >= 8, energy=e, classes=classes, near=near)


if __name__ == "__main__":
    main(sys.argv[1])
