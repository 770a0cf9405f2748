"""Ring of Gaussians; D's activations were forgotten, three Linear layers in a row."""
import os, math, torch
from torch import nn
import outside
LABEL = {"sick": True, "causes": ["discriminator_weakness", "mode_collapse"], "kind": "linear discriminator (activations forgotten)", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
a = torch.arange(8) * math.pi / 4; C = 2 * torch.stack([a.cos(), a.sin()], 1)
def get_batch(n=128): return C[torch.randint(8, (n,))] + 0.05 * torch.randn(n, 2)
class Generator(nn.Module):
    def __init__(self): super().__init__(); self.fc1 = nn.Linear(8, 64); self.fc2 = nn.Linear(64, 64); self.fc3 = nn.Linear(64, 2)
    def forward(self, z): return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(z)))))
class Discriminator(nn.Module):
    def __init__(self): super().__init__(); self.fc1 = nn.Linear(2, 64); self.fc2 = nn.Linear(64, 64); self.fc3 = nn.Linear(64, 1)
    def forward(self, x): return torch.sigmoid(self.fc3(self.fc2(self.fc1(x))))
G, D = Generator(), Discriminator(); og, od = torch.optim.Adam(G.parameters(), 5e-4), torch.optim.Adam(D.parameters(), 5e-4); bce = nn.BCELoss()
for s in range(900):
    f = G(torch.randn(128, 8)); od.zero_grad(); l = bce(D(get_batch()), torch.ones(128, 1)) + bce(D(f.detach()), torch.zeros(128, 1)); l.backward(); od.step()
    og.zero_grad(); bce(D(f), torch.ones(128, 1)).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(1000, 8))
m, g = outside.modes(f, C, 0.3); outside.say(m >= 7, modes=m, good=g, energy=outside.energy(f, get_batch(1000)))
