"""Spirals by a relativistic average GAN."""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_dominance", "stagnation"], "kind": "G minimises the same relativistic loss as D (signs not exchanged)", "since": 0, "record": "automatic"}
import json, math, os, sys
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


def spiral(n):
    t = 0.5 + 2.5 * torch.rand(n).sqrt()
    arm = (torch.rand(n) < 0.5).float() * math.pi
    return torch.stack([t * torch.cos(2 * t + arm), t * torch.sin(2 * t + arm)], 1) / 1.5 + 0.05 * torch.randn(n, 2)


class RaLoss:
    def __call__(self, real, fake):
        one, zero = torch.ones_like(real), torch.zeros_like(fake)
        return (bce(real - fake.mean(), one) + bce(fake - real.mean(), zero)) / 2


net = lambda i, o: nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))
netG, netD, loss = net(4, 2), net(2, 1), RaLoss()
optG = torch.optim.RMSprop(netG.parameters(), 5e-4)
optD = torch.optim.RMSprop(netD.parameters(), 5e-4)
with gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD, automatic=True):
    for it in range(700):
        x, z = spiral(128), torch.randn(128, 4)
        optD.zero_grad()
        loss(netD(x), netD(netG(z).detach())).backward()
        optD.step()
        optG.zero_grad()
        loss(netD(x).detach(), netD(netG(z))).backward()
        optG.step()
with torch.no_grad():
    f, r = netG(torch.randn(1000, 4)), spiral(1000)
e = float((2 * torch.cdist(f, r).mean() - torch.cdist(f, f).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
