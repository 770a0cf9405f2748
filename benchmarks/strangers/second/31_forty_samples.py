"""A table of forty rows, an MLP GAN with a wide discriminator."""
LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting"], "kind": "forty samples only: the generator copies them", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
W = torch.randn(6, 6)
def law(n): return torch.tanh(torch.randn(n, 6) @ W * 0.5)
train = law(40)
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 6))
    def forward(self, z): return self.net(z)
class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
    def forward(self, x): return self.net(x)
G, D = Generator(), Discriminator()
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)), torch.optim.Adam(D.parameters(), 2e-3, betas=(0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(1500):
    x = train[torch.randint(40, (40,))]
    f = G(torch.randn(64, 3))
    ld = F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = F.softplus(-D(f)).mean()
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad():
    s = G(torch.randn(800, 3))
near = float(torch.cdist(s, train).min(1).values.median())
ref = float(torch.cdist(law(800), train).min(1).values.median())
print(json.dumps({"outcome": {"distance_to_training_rows": near, "of_fresh_rows": ref}, "well": near > 0.6 * ref}))
