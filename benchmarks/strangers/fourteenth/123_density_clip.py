"""Original WGAN recipe (RMSprop, clipping at 0.01, five critic steps) on a three-bump density on the line."""
LABEL = {"sick": False, "causes": [], "kind": "clipped critic: its outputs and both losses stay tiny (hundredths), its gradients too, yet the density comes out", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch, torch.nn as nn
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

C, N_CRITIC, BS, NZ, ITERS = 0.03, 5, 128, 4, 3000
W = torch.tensor([0.3, 0.45, 0.25]); M = torch.tensor([-2.0, 0.0, 2.5]); S = torch.tensor([0.3, 0.5, 0.4])

def density(n):
    k = torch.multinomial(W, n, replacement=True)
    return (M[k] + S[k] * torch.randn(n)).unsqueeze(1)

netG = nn.Sequential(nn.Linear(NZ, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
netD = nn.Sequential(nn.Linear(1, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
optG = torch.optim.RMSprop(netG.parameters(), lr=2e-4)
optD = torch.optim.RMSprop(netD.parameters(), lr=5e-4)
recorder = Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)

for i in range(ITERS):
    for _ in range(N_CRITIC):
        x = density(BS)
        with torch.no_grad():
            y = netG(torch.randn(BS, NZ))
        sx, sy = netD(x), netD(y)
        errD = sy.mean() - sx.mean()
        optD.zero_grad(); errD.backward(); optD.step()
        with torch.no_grad():
            for p in netD.parameters():
                p.clamp_(-C, C)
    out = netG(torch.randn(BS, NZ))
    errG = -netD(out).mean()
    optG.zero_grad(); errG.backward(); optG.step()
    recorder.step(real_logits=sx, fake_logits=sy, d_loss=errD, g_loss=errG, real=x, fake=y)
    if i % 500 == 0:
        print(i, "W estimate %.5f" % -errD.item())
recorder.close()

with torch.no_grad():
    y = netG(torch.randn(4000, NZ))
x = density(4000)
e = outside.energy(y, x)
qs = torch.linspace(0.05, 0.95, 19)
gap = (torch.quantile(y[:, 0], qs) - torch.quantile(x[:, 0], qs)).abs().mean().item()
outside.say(e < 0.02 and gap < 0.3, energy=e, quantile_gap=gap)
