"""House sales in raw units (dollars, square feet, year, distance in metres); the generator scales its own output, the discriminator its input."""
LABEL = {"sick": False, "causes": [], "kind": "healthy, data of hundred thousands in raw units scaled inside the nets", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
rng = np.random.default_rng(SEED)
n = 4000
sqft = rng.gamma(9, 200, n)
year = 2020 - rng.gamma(2, 18, n)
dist = rng.lognormal(8.3, 0.5, n)
price = (90 + 0.9 * (year - 1950)) * sqft * (dist / 4000) ** -0.3 * rng.lognormal(0, 0.1, n)
sales = torch.tensor(np.stack([price, sqft, year, dist], 1), dtype=torch.float32)
loc, scale = sales.mean(0), sales.std(0)

class Affine(nn.Module):
    def __init__(self, loc, scale, back=False):
        super().__init__()
        self.register_buffer("loc", loc); self.register_buffer("scale", scale); self.back = back
    def forward(self, x):
        return x * self.scale + self.loc if self.back else (x - self.loc) / self.scale

seller = nn.Sequential(nn.Linear(8, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 4), Affine(loc, scale, True))
judge = nn.Sequential(Affine(loc, scale), nn.Linear(4, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
so = torch.optim.AdamW(seller.parameters(), 4e-4, betas=(0.5, 0.95), weight_decay=1e-4)
jo = torch.optim.AdamW(judge.parameters(), 8e-4, betas=(0.5, 0.95), weight_decay=1e-4)
bce = nn.BCEWithLogitsLoss()
for ep in range(56):
    for x in sales[torch.randperm(n)].split(100):
        f = seller(torch.randn(100, 8))
        a, b = judge(x), judge(f.detach())
        jl = bce(a, torch.full_like(a, 0.9)) + bce(b, torch.zeros_like(b))
        jo.zero_grad(); jl.backward(); jo.step()
        c = judge(f)
        sl = bce(c, torch.ones_like(c))
        so.zero_grad(); sl.backward(); so.step()
    if ep % 10 == 0: print(ep, jl.item(), sl.item(), f.mean(0).tolist())
with torch.no_grad():
    e = outside.energy((seller(torch.randn(1000, 8)) - loc) / scale, (sales[:1000] - loc) / scale)
outside.say(e < 0.03, energy=e)
