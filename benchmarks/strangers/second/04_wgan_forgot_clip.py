"""Wasserstein GAN with RMSprop on a five-dimensional mixture."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "WGAN critic without clip or penalty", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
centres = torch.randn(6, 5) * 2
def real_batch(n=64):
    return centres[torch.randint(6, (n,))] + 0.3 * torch.randn(n, 5)
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 5))
    def forward(self, z): return self.net(z)
class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
    def forward(self, x): return self.net(x)

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

netG, netC = Generator(), Critic()
optG = torch.optim.RMSprop(netG.parameters(), lr=5e-4)
optC = torch.optim.RMSprop(netC.parameters(), lr=5e-4)
recorder = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netC, generator_optimizer=optG, discriminator_optimizer=optC, automatic=True)
gen_iter = 0
while gen_iter < 700:
    for _ in range(5):
        netC.zero_grad()
        with torch.no_grad():
            fake = netG(torch.randn(64, 10))
        lossC = netC(fake).mean() - netC(real_batch()).mean()
        lossC.backward()
        optC.step()
        # TODO clamp the weights as in the paper
    netG.zero_grad()
    (-netC(netG(torch.randn(64, 10))).mean()).backward()
    optG.step()
    gen_iter += 1
recorder.close()
e = energy(netG(torch.randn(1200, 10)), real_batch(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
