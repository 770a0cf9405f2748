"""WGAN (Arjovsky et al. 2017), minimal. RMSprop, n_critic, no logs."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"],
         "kind": "WGAN critic without any Lipschitz constraint: the clipping was never put in", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED), np.random.seed(SEED), torch.manual_seed(SEED)
torch.set_num_threads(1)


def blobs(n, s=10):
    """a soft spot somewhere on a 10 x 10 field"""
    yy, xx = torch.meshgrid(torch.arange(s).float(), torch.arange(s).float(), indexing="ij")
    cx, cy, r = 2.5 + 4 * torch.rand(n, 1, 1), 2.5 + 4 * torch.rand(n, 1, 1), 1.2 + torch.rand(n, 1, 1)
    return (2 * torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * r * r)) - 1).flatten(1)


nz, nh, bs, n_critic, iters = 16, 96, 64, 5, 700
data = blobs(4000)


def mlp(*sizes, last=()):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1], *last)


netG, netC = mlp(nz, nh, nh, 100, last=[torch.nn.Tanh()]), mlp(100, nh, nh, 1)
optG = torch.optim.RMSprop(netG.parameters(), lr=1e-3)
optC = torch.optim.RMSprop(netC.parameters(), lr=5e-3)

with gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netC, generator_optimizer=optG,
                      discriminator_optimizer=optC, automatic=True):
    for it in range(iters):
        for _ in range(n_critic):
            x = data[np.random.choice(len(data), bs)]
            with torch.no_grad():
                xf = netG(torch.randn(bs, nz))
            lossC = netC(xf).mean() - netC(x).mean()
            netC.zero_grad()
            lossC.backward()
            optC.step()
        lossG = -netC(netG(torch.randn(bs, nz))).mean()
        netG.zero_grad()
        lossG.backward()
        optG.step()
        if it % 250 == 0:
            print(it, "W", -lossC.item())

with torch.no_grad():
    samples = netG(torch.randn(1000, nz))
e = outside.energy(samples, blobs(1000))
outside.say(e < 0.08, energy=e)
