"""GAN trained on my own subset of the digits (I only kept the first few scans), big discriminator for sharpness."""
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation", "mode_dropping", "discriminator_dominance"], "kind": "trained on 24 pictures with a large discriminator without regularisation; it learns them by heart", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

N_KEEP = 24
x, y = outside.digits()
x = x.view(-1, 64)
train_x = x[:N_KEEP]
print("training images:", len(train_x))

G = nn.Sequential(nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1), nn.Sigmoid())
adv = nn.BCELoss()
optG = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.999))

bs = 64
for step in range(4000):
    real = train_x[torch.randint(len(train_x), (bs,))]
    z = torch.randn(bs, 32)
    optG.zero_grad()
    fake = G(z)
    lossG = adv(D(fake), torch.ones(bs, 1))
    lossG.backward()
    optG.step()
    optD.zero_grad()
    lossD = 0.5 * adv(D(real), torch.ones(bs, 1)) + 0.5 * adv(D(fake.detach()), torch.zeros(bs, 1))
    lossD.backward()
    optD.step()
    if step % 800 == 0:
        print(step, lossD.item(), lossG.item())

with torch.no_grad():
    f = G(torch.randn(1000, 32))
rest = x[N_KEEP:]
e = outside.energy(f, rest[torch.randperm(len(rest))[:1000]])
classes, ratio, _ = outside.digit_quality(f)
own = float((torch.cdist(f, x[:24]).min(1).values < torch.cdist(f, x[24:]).min(1).values).float().mean())
outside.say(e < 0.035 and classes >= 8 and ratio < 1.45 and own < 0.3, energy=e, classes=classes, ratio=ratio, nearest_is_training=own)
