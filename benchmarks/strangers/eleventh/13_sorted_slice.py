"""GAN from scratch on sklearn digits, PyTorch without DataLoader."""
LABEL = {"sick": True, "causes": ["data_mismatch", "mode_dropping", "memorisation"], "kind": "class-sorted data and an index that never leaves the first batch, the same 100 zeros at every step", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
from torch import nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

x, y = outside.digits()
x = x.view(-1, 64)
order = torch.argsort(y, stable=True)
data = x[order]
batch_size = 100

def next_batch(step):
    start = (step // len(data)) * batch_size
    return data[start:start + batch_size]

G = nn.Sequential(nn.Linear(24, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))
g_opt = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.999))
crit = nn.BCEWithLogitsLoss()
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

for step in range(3500):
    real = next_batch(step)
    fake = G(torch.randn(len(real), 24))
    d_opt.zero_grad()
    d_loss = crit(D(real), torch.ones(len(real), 1)) + crit(D(fake.detach()), torch.zeros(len(real), 1))
    d_loss.backward()
    d_opt.step()
    g_opt.zero_grad()
    g_loss = crit(D(fake), torch.ones(len(real), 1))
    g_loss.backward()
    g_opt.step()
    if step % 500 == 0:
        print("step", step, "d", float(d_loss), "g", float(g_loss))

with torch.no_grad():
    f = G(torch.randn(1000, 24))
classes, ratio, _ = outside.digit_quality(f)
e = outside.energy(f, x[torch.randperm(len(x))])
outside.say(classes >= 8 and ratio < 1.4 and e < 0.04, classes=classes, ratio=ratio, energy=e)
