"""GAN for single heartbeats (32 samples each) from our wearable; the loop was moved from epochs to plain iterations."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "StepLR meant for epochs is stepped once a batch after the rewrite; both learning rates are nothing after a few hundred iterations", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR
import outside

seed = int(os.environ.get("SEED", "0"))
for f in (random.seed, np.random.seed, torch.manual_seed):
    f(seed)
torch.set_num_threads(1)


def beats(n, rng):
    t = np.linspace(0, 1, 32)[None]
    r = .4 + rng.normal(0, .03, (n, 1))
    h = rng.choice([.9, 1.4], (n, 1)) + rng.normal(0, .05, (n, 1))
    tw = rng.uniform(.15, .45, (n, 1))
    bump = lambda c, w: np.exp(-((t - c) / w) ** 2)
    x = .2 * bump(r - .22, .06) + h * bump(r, .045) - .3 * bump(r + .09, .04) + tw * bump(r + .33, .09)
    return torch.tensor(x + rng.normal(0, .015, x.shape), dtype=torch.float32)


X = beats(5000, np.random.default_rng(5))


def batches(size):
    while True:
        for idx in torch.randperm(len(X)).split(size):
            yield X[idx]


netG = nn.Sequential(nn.Linear(12, 128), nn.LeakyReLU(.1), nn.Linear(128, 128), nn.LeakyReLU(.1), nn.Linear(128, 32))
netD = nn.Sequential(nn.Linear(32, 128), nn.LeakyReLU(.2), nn.Linear(128, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))
optG = optim.Adam(netG.parameters(), lr=1e-3, betas=(.5, .99))
optD = optim.Adam(netD.parameters(), lr=1e-3, betas=(.5, .99))
schedG = StepLR(optG, step_size=40, gamma=0.5)
schedD = StepLR(optD, step_size=40, gamma=0.5)
sp = nn.functional.softplus

stream = batches(128)
for it in range(4000):
    real = next(stream).requires_grad_(True)
    n = len(real)
    fake = netG(torch.randn(n, 12))
    out = netD(real)
    pen, = torch.autograd.grad(out.sum(), real, create_graph=True)
    lossD = sp(-out).mean() + sp(netD(fake.detach())).mean() + .05 * pen.pow(2).sum(1).mean()
    optD.zero_grad(); lossD.backward(); optD.step()

    lossG = sp(-netD(fake)).mean()
    optG.zero_grad(); lossG.backward(); optG.step()

    schedD.step(); schedG.step()
    if it % 400 == 0:
        print(f"it {it:5d}  D {lossD.item():.3f}  G {lossG.item():.3f}")

with torch.no_grad():
    made = netG(torch.randn(1000, 12))
    test = beats(1000, np.random.default_rng(6))
e = outside.energy(made, test)
near = torch.cdist(made, X).min(1).values.mean() / torch.cdist(test, X).min(1).values.mean()
outside.say(e < 0.05 and near < 2.5, energy=e, near=float(near))
