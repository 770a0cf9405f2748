"""Logistic GAN with R1 on 4x4 RGB sky patches; the first shard of the data is used for the first epochs, then the second shard is loaded."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "the second shard's loader forgets the /127.5-1 and keeps 0..255", "since": 1000, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def sky(n):
    """uint8 patches n x 3 x 4 x 4: horizon gradient of a day or an evening sky"""
    top = np.where(np.random.rand(n, 1) < 0.6, [[60, 120, 220]], [[90, 50, 120]])
    bottom = np.where(top[:, :1] == 60, [[170, 205, 240]], [[240, 130, 60]])
    k = np.linspace(0, 1, 4)[None, None, :, None] ** np.random.uniform(0.5, 2, (n, 1, 1, 1))
    x = top[:, :, None, None] * (1 - k) + bottom[:, :, None, None] * k
    x = x * np.random.uniform(0.8, 1.05, (n, 1, 1, 1)) + 4 * np.random.randn(n, 3, 4, 4)
    return np.clip(x, 0, 255).astype(np.uint8)


def load_first():
    return torch.from_numpy(sky(3000)).float() / 127.5 - 1


def load_second():
    return torch.from_numpy(sky(3000)).float()


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.LeakyReLU(0.2))


G = nn.Sequential(block(12, 128), block(128, 128), block(128, 128), nn.Linear(128, 48), nn.Tanh())
D = nn.Sequential(block(48, 128), block(128, 128), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.99))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
shard = load_first()
bce = nn.BCEWithLogitsLoss()
for it in range(2200):
    if it == 1000:
        shard = load_second()
    x = shard[torch.randint(0, len(shard), (64,))].flatten(1).requires_grad_()
    fake = G(torch.randn(64, 12))
    d_opt.zero_grad()
    out = D(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
    d_loss = bce(out, torch.ones(64, 1)) + bce(D(fake.detach()), torch.zeros(64, 1)) + 0.1 * r1
    d_loss.backward()
    d_opt.step()
    g_opt.zero_grad()
    g_loss = bce(D(fake), torch.ones(64, 1))
    g_loss.backward()
    g_opt.step()

with torch.no_grad():
    s = G(torch.randn(1000, 12))
truth = torch.from_numpy(sky(1000)).float() / 127.5 - 1
e = outside.energy(s, truth)
evening = float((s.view(-1, 3, 4, 4)[:, 0, 3].mean(1) > s.view(-1, 3, 4, 4)[:, 2, 3].mean(1)).float().mean())
outside.say(e < 0.05 and 0.2 < evening < 0.6, energy=e, evening=evening)
