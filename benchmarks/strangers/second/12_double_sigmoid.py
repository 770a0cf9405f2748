"""Four clusters in ten dimensions; the discriminator ends in a sigmoid."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse", "vanishing_generator_gradient"], "kind": "BCEWithLogitsLoss on top of a sigmoid", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

centres = 1.2 * torch.randn(4, 10)

def clusters(n):
    return centres[torch.randint(4, (n,))] + 0.4 * torch.randn(n, 10)

class Generator(nn.Module):
    def __init__(self, z=6):
        super().__init__()
        self.f1, self.f2, self.f3 = nn.Linear(z, 64), nn.Linear(64, 64), nn.Linear(64, 10)
    def forward(self, z):
        return self.f3(F.relu(self.f2(F.relu(self.f1(z)))))

class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.f1, self.f2, self.f3 = nn.Linear(10, 64), nn.Linear(64, 64), nn.Linear(64, 1)
    def forward(self, x):
        return torch.sigmoid(self.f3(F.relu(self.f2(F.relu(self.f1(x))))))

G, D = Generator(), Discriminator()
criterion = nn.BCEWithLogitsLoss()
optimG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=optimG, discriminator_optimizer=optimD, discriminator_output="probability")
for i in range(1000):
    real, noise = clusters(128), torch.randn(128, 6)
    fake = G(noise)
    D.zero_grad()
    errD = criterion(D(real), torch.ones(128, 1)) + criterion(D(fake.detach()), torch.zeros(128, 1))
    errD.backward()
    optimD.step()
    G.zero_grad()
    errG = criterion(D(fake), torch.ones(128, 1))
    errG.backward()
    optimG.step()
    rec.step(d_loss=errD, g_loss=errG)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

with torch.no_grad():
    s = G(torch.randn(1200, 6))
near = torch.cdist(s, centres).min(1)
modes = sum(int(((near.indices == k) & (near.values < 2.0)).sum() > 40) for k in range(4))
e = energy(s, clusters(1200))
print(json.dumps({"outcome": {"modes": modes, "energy": e}, "well": modes >= 4 and e < 0.06}))
