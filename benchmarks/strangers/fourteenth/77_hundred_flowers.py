"""Can a GAN work with about a hundred rows? Iris measurements, with noise on D's input and dropout."""
LABEL = {"sick": False, "causes": [], "kind": "only 100 training rows seen for thousands of steps, but augmentation noise and dropout keep D from learning them by heart", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

X, y = load_iris(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=50, stratify=y, random_state=SEED)
m, s = Xtr.mean(0), Xtr.std(0)
train = torch.tensor((Xtr - m) / s, dtype=torch.float32)
test = torch.tensor((Xte - m) / s, dtype=torch.float32)
print("rows:", len(train), "held out:", len(test))


def augment(a, sigma=0.25):
    """same jitter for real and generated rows; never shown to the user"""
    return a + sigma * torch.randn_like(a)


G = nn.Sequential(
    nn.Linear(6, 48), nn.LeakyReLU(0.2),
    nn.Linear(48, 48), nn.LeakyReLU(0.2),
    nn.Linear(48, 4))
D = nn.Sequential(
    nn.Linear(4, 48), nn.LeakyReLU(0.2), nn.Dropout(0.3),
    nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Dropout(0.3),
    nn.Linear(48, 1))
og = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.99))
od = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.99))

BATCH = 50
avg = [p.detach().clone() for p in G.parameters()]
for step in range(4000):
    real = train[torch.randperm(len(train))[:BATCH]]
    fake = G(torch.randn(BATCH, 6))

    d = F.softplus(-D(augment(real))).mean() + F.softplus(D(augment(fake.detach()))).mean()
    od.zero_grad()
    d.backward()
    od.step()

    g = F.softplus(-D(augment(fake))).mean()
    og.zero_grad()
    g.backward()
    og.step()

    for a, p in zip(avg, G.parameters()):
        a.mul_(0.995).add_(p.detach(), alpha=0.005)
    if step % 500 == 0:
        print(step, round(d.item(), 3), round(g.item(), 3))

# the averaged weights are the ones that we keep
with torch.no_grad():
    for a, p in zip(avg, G.parameters()):
        p.copy_(a)
    made = G(torch.randn(1000, 6))
e = outside.energy(made, test)
ref = outside.energy(train, test)
setosa = float((made[:, 2] < -0.6).float().mean())
near = torch.cdist(made, train).min(1).values.mean() / torch.cdist(test, train).min(1).values.mean()
outside.say(e < 0.08 and 0.18 < setosa < 0.5 and float(near) > 0.5, energy=e, train_against_test=ref, setosa_share=setosa, nearest_ratio=float(near))
