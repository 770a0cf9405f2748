"""Digits with spectral norm and hinge loss, learning rates warmed up over the first steps."""
import os, sys
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse"], "since": 200, "record": "lines",
         "kind": "the warm-up's factor has no upper bound: the rates go on growing, a hundredfold by the end"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
WARMUP, STEPS, BATCH, NZ = 10, 1000, 32, 24


def sn(layer):
    return nn.utils.parametrizations.spectral_norm(layer)


class ResUp(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.c1, self.skip = nn.Conv2d(i, o, 3, 1, 1), nn.Conv2d(i, o, 1)
        self.n = nn.BatchNorm2d(i)

    def forward(self, x):
        h = F.interpolate(F.relu(self.n(x)), scale_factor=2)
        return self.c1(h) + self.skip(F.interpolate(x, scale_factor=2))


G = nn.Sequential(nn.Linear(NZ, 32 * 4), nn.Unflatten(1, (32, 2, 2)), ResUp(32, 24), ResUp(24, 16), nn.BatchNorm2d(16), nn.ReLU(),
                  nn.Conv2d(16, 1, 3, 1, 1), nn.Tanh())
D = nn.Sequential(sn(nn.Conv2d(1, 32, 4, 2, 1)), nn.LeakyReLU(0.1),
                  sn(nn.Conv2d(32, 64, 4, 2, 1)), nn.LeakyReLU(0.1), nn.Flatten(), sn(nn.Linear(256, 1)))
opt = {"g": torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0.0, 0.9)), "d": torch.optim.Adam(D.parameters(), lr=1.6e-3, betas=(0.0, 0.9))}
sched = [LambdaLR(o, lambda it: (it + 1) / WARMUP) for o in opt.values()]
X, _ = outside.digits()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt["g"], discriminator_optimizer=opt["d"])
for it in range(STEPS):
    real = X[torch.randint(0, len(X), (BATCH,))]
    fake = G(torch.randn(BATCH, NZ))
    real_out, fake_out = D(real), D(fake.detach())
    d_loss = F.relu(1 - real_out).mean() + F.relu(1 + fake_out).mean()
    opt["d"].zero_grad()
    d_loss.backward()
    opt["d"].step()
    g_loss = -D(fake).mean()
    opt["g"].zero_grad()
    g_loss.backward()
    opt["g"].step()
    for s in sched:
        s.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=real_out, fake_logits=fake_out, real=real, fake=fake)
rec.close()

G.eval()
with torch.no_grad():
    s = G(torch.randn(800, NZ))
classes, near, _ = outside.digit_quality(s)
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(classes >= 9 and near < 1.6 and e < 0.05, classes=classes, near=near, energy=e)
