"""A mixture in six dimensions, initialisation by a helper that sets the biases."""
LABEL = {"sick": True, "causes": ["dead_layers", "mode_collapse", "stagnation"], "kind": "biases of the generator's hidden layers start at -4: all ReLUs dead", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
M = 2 * torch.randn(4, 6)
def real(n): return M[torch.randint(4, (n,))] + 0.3 * torch.randn(n, 6)
def init(module, bias):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.1)
        nn.init.constant_(module.bias, bias)
generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
generator.apply(lambda m: init(m, -4.0))  # bias -4 was meant for a sigmoid gate
discriminator = nn.Sequential(nn.Linear(6, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
discriminator.apply(lambda m: init(m, 0.0))
og, od = torch.optim.Adam(generator.parameters(), 5e-4, betas=(0.5, 0.9)), torch.optim.Adam(discriminator.parameters(), 5e-4, betas=(0.5, 0.9))
with gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for _ in range(700):
        f = generator(torch.randn(100, 8))
        od.zero_grad()
        (((discriminator(real(100)) - 1) ** 2).mean() + (discriminator(f.detach()) ** 2).mean()).backward()
        od.step()
        og.zero_grad()
        ((discriminator(f) - 1) ** 2).mean().backward()
        og.step()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

e = energy(generator(torch.randn(1200, 8)), real(1200))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
