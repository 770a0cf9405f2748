"""
pggan-lite. Final-resolution stage only (8x8), pixel norm in G, minibatch standard deviation in D, WGAN with drift term and GP.
"""
import os, sys, random
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["numerical_failure"],
         "kind": "minibatch standard deviation without an epsilon under the root: where a feature is constant in the batch its gradient is NaN",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

class PixelNorm(nn.Module):
    def forward(self, x):
        return x / torch.sqrt(x.pow(2).mean(1, keepdim=True) + 1e-8)

class MinibatchStd(nn.Module):
    def __init__(self, group=8):
        super().__init__(); self.group = group
    def forward(self, x):
        g = min(self.group, len(x))
        y = x.view(g, -1, *x.shape[1:])
        y = y - y.mean(0, keepdim=True)
        y = torch.sqrt(y.pow(2).mean(0)).mean([1, 2, 3], keepdim=True)
        return torch.cat([x, y.repeat(g, 1, x.shape[2], x.shape[3])], 1)

def gblock(i, o): return [nn.Conv2d(i, o, 3, padding=1), nn.LeakyReLU(.2), PixelNorm()]

G = nn.Sequential(PixelNorm(), nn.Linear(24, 24 * 4 * 4), nn.Unflatten(1, (24, 4, 4)), nn.LeakyReLU(.2), PixelNorm(), *gblock(24, 24),
                  nn.Upsample(scale_factor=2), *gblock(24, 16), nn.Conv2d(16, 1, 1))
D = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
                  MinibatchStd(), nn.Conv2d(25, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 16, 1))

x, _ = outside.digits()
B, N_ITER = 32, 700
optG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0., .99), eps=1e-8)
optD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0., .99), eps=1e-8)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=optG, discriminator_optimizer=optD, automatic=True)

for i in range(N_ITER):
    real = x[torch.randint(len(x), (B,))]
    with torch.no_grad():
        fake = G(torch.randn(B, 24))
    mix = torch.lerp(real, fake, torch.rand(B, 1, 1, 1)).requires_grad_(True)
    grad = torch.autograd.grad(D(mix).sum(), mix, create_graph=True)[0]
    sr, sf = D(real), D(fake)
    loss = sf.mean() - sr.mean() + 10 * ((grad.pow(2).sum([1, 2, 3]) + 1e-12).sqrt() - 1).pow(2).mean() + 1e-3 * sr.pow(2).mean()
    optD.zero_grad(); loss.backward(); optD.step()

    g = -D(G(torch.randn(B, 24))).mean()
    optG.zero_grad(); g.backward(); optG.step()
rec.close()

with torch.no_grad():
    s = G(torch.randn(1000, 24))
e = outside.energy(s, x[torch.randperm(len(x))])
outside.say(e < 0.15, energy=e)
