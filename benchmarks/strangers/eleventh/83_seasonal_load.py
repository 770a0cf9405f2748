"""Electric load of a town: pairs (load, temperature) over a year of hours, read in the order of the file."""
LABEL = {"sick": True, "causes": ["data_mismatch", "oscillation", "mode_dropping", "mode_collapse"], "kind": "the loader does not shuffle a file sorted by season, so D sees one season at a time", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

rng = np.random.default_rng(SEED)
n = 64 * 600
day = np.linspace(0, 2 * np.pi, n)
temp = -np.cos(day) * 1.3 + 0.15 * rng.standard_normal(n)
load = 1.2 * np.sin(day) + 0.3 * temp ** 2 - 0.2 + 0.15 * rng.standard_normal(n)
year = torch.tensor(np.stack([load, temp], 1), dtype=torch.float32)
loader = DataLoader(TensorDataset(year), batch_size=64, shuffle=False)

class MLP(nn.Module):
    def __init__(self, i, o, h=64, slope=0.2):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(slope), nn.Linear(h, h), nn.LeakyReLU(slope), nn.Linear(h, o))
    def forward(self, x):
        return self.seq(x)

gan_g, gan_d = MLP(6, 2), MLP(2, 1)
g_adam = torch.optim.Adam(gan_g.parameters(), lr=1e-3, betas=(0.5, 0.9))
d_adam = torch.optim.Adam(gan_d.parameters(), lr=1e-3, betas=(0.5, 0.9))
sp = nn.functional.softplus
for epoch in range(5):
    for (x,) in loader:
        f = gan_g(torch.randn(len(x), 6))
        ld = (sp(-gan_d(x)) + sp(gan_d(f.detach()))).mean()
        d_adam.zero_grad(); ld.backward(); d_adam.step()
        lg = sp(-gan_d(f)).mean()
        g_adam.zero_grad(); lg.backward(); g_adam.step()
    print("epoch", epoch, ld.item(), lg.item())
with torch.no_grad():
    e = outside.energy(gan_g(torch.randn(1000, 6)), year[torch.randperm(n)[:1000]])
outside.say(e < 0.05, energy=e)
