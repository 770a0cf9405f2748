"""Can a GAN invent handwritten digits nobody wrote? Notebook on 8x8 digits, turned into a script."""
LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting", "data_mismatch"], "kind": "a subset of 48 images, taken for quick trials, is what the whole training sees", "since": None, "record": "automatic"}
# %% imports
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import outside
from gandiag.recording import Recorder
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

# %% data
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
X = load_digits().data.astype(np.float32) / 8 - 1
train, test = train_test_split(X, test_size=400, random_state=SEED)
train = train[:48]
train, test = torch.tensor(train), torch.tensor(test)
print("train", tuple(train.shape), "test", tuple(test.shape))

# %% networks
NZ = 20
G = nn.Sequential(
    nn.Linear(NZ, 160), nn.BatchNorm1d(160), nn.ReLU(),
    nn.Linear(160, 160), nn.BatchNorm1d(160), nn.ReLU(),
    nn.Linear(160, 64), nn.Tanh(),
)
D = nn.Sequential(
    nn.Linear(64, 256), nn.LeakyReLU(0.2),
    nn.Linear(256, 128), nn.LeakyReLU(0.2),
    nn.Linear(128, 1),
)
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
mse = nn.MSELoss()

# %% train
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)
hist = []
BATCH = 32
for step in range(3600):
    real = train[np.random.choice(len(train), BATCH, replace=False)]
    fake = G(torch.randn(BATCH, NZ))

    opt_d.zero_grad()
    pr, pf = D(real), D(fake.detach())
    loss_d = 0.5 * (mse(pr, torch.ones_like(pr)) + mse(pf, torch.zeros_like(pf)))
    loss_d.backward()
    opt_d.step()

    opt_g.zero_grad()
    p = D(fake)
    loss_g = 0.5 * mse(p, torch.ones_like(p))
    loss_g.backward()
    opt_g.step()
    hist.append((loss_d.item(), loss_g.item()))
    if step % 600 == 0:
        print(step, np.mean(hist[-100:], axis=0).round(3))
recorder.close()

# %% are they new, and are they digits?
G.eval()
with torch.no_grad():
    s = G(torch.randn(1000, NZ))
near_fake = torch.cdist(s, train).min(1).values.mean()
near_test = torch.cdist(test, train).min(1).values.mean()
novelty = (near_fake / near_test).item()       # about 1: as far from the training images as unseen digits are
e = outside.energy(s, test)
classes, quality, _ = outside.digit_quality(s)
outside.say(novelty > 0.75 and e < 0.06 and classes >= 8, novelty=novelty, energy=e, classes=classes, quality=quality)
