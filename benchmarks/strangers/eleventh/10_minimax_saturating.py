"""Original minimax GAN (log(1-D(G(z)))) with k=5 discriminator steps, on the digits."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "stagnation"], "kind": "saturating generator loss against a discriminator trained five times as often at a higher rate", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np
import torch
from torch import nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

K = 5
D_LR = 1e-3
SATURATING = True
x, _ = outside.digits()
x = x.flatten(1)
G = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1), nn.Sigmoid())
g_opt = torch.optim.SGD(G.parameters(), lr=0.05, momentum=0.5) if SATURATING else torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=D_LR, betas=(0.5, 0.999))
eps = 1e-7
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
for i in range(2000 if K > 1 else 4000):
    for _ in range(K):
        real = x[torch.randint(len(x), (64,))]
        fake = G(torch.randn(64, 32)).detach()
        d_loss = -(torch.log(D(real) + eps) + torch.log(1 - D(fake) + eps)).mean()
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    p = D(G(torch.randn(64, 32)))
    g_loss = torch.log(1 - p + eps).mean() if SATURATING else -torch.log(p + eps).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    f = G(torch.randn(1000, 32))
classes, ratio, _ = outside.digit_quality(f)
e = outside.energy(f, x[torch.randperm(len(x))])
outside.say(classes >= 8 and ratio < 1.45 and e < 0.05, classes=classes, ratio=ratio, energy=e)
