"""A customer table with two numbers and a category of five, one-hot, by a hinge GAN."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_dropping", "discriminator_dominance"], "kind": "G makes the category by argmax, no gradient reaches that head", "since": 0, "record": "automatic"}
import json, os, sys
from dataclasses import dataclass
import torch
import torch.nn.functional as F
from torch import nn, optim
from gandiag import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)


@dataclass
class Cfg:
    z: int = 12
    hidden: int = 64
    lr: float = 1e-3
    batch: int = 128
    steps: int = 900
    cats: int = 5


cfg = Cfg()
FREQ = torch.tensor([0.35, 0.25, 0.2, 0.12, 0.08])
LOC = torch.randn(cfg.cats, 2, generator=torch.Generator().manual_seed(5)) * 1.5


def draw(n):
    k = torch.multinomial(FREQ, n, replacement=True)
    return torch.cat([LOC[k] + 0.3 * torch.randn(n, 2), F.one_hot(k, cfg.cats).float()], 1)


class TableGen(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(cfg.z, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, cfg.hidden), nn.ReLU())
        self.num, self.cat = nn.Linear(cfg.hidden, 2), nn.Linear(cfg.hidden, cfg.cats)

    def forward(self, z):
        h = self.body(z)
        onehot = F.one_hot(self.cat(h).argmax(1), cfg.cats).float()
        return torch.cat([self.num(h), onehot], 1)


G = TableGen()
D = nn.Sequential(nn.Linear(2 + cfg.cats, cfg.hidden), nn.LeakyReLU(0.2), nn.Linear(cfg.hidden, cfg.hidden), nn.LeakyReLU(0.2), nn.Linear(cfg.hidden, 1))
og, od = optim.Adam(G.parameters(), cfg.lr, (0.5, 0.9)), optim.Adam(D.parameters(), cfg.lr, (0.5, 0.9))
rec = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for i in range(cfg.steps):
    with torch.no_grad():
        fake = G(torch.randn(cfg.batch, cfg.z))
    od.zero_grad()
    (F.relu(1 - D(draw(cfg.batch))).mean() + F.relu(1 + D(fake)).mean()).backward()
    od.step()
    og.zero_grad()
    (-D(G(torch.randn(cfg.batch, cfg.z))).mean()).backward()
    og.step()
rec.close()
with torch.no_grad():
    s = G(torch.randn(4000, cfg.z))
share = s[:, 2:].mean(0)
tv = float((share - FREQ).abs().sum() / 2)
near = float(((s[:, :2] - LOC[s[:, 2:].argmax(1)]).norm(dim=1) < 1).float().mean())
print(json.dumps({"outcome": {"shares": [round(float(v), 3) for v in share], "total_variation": tv, "numbers_fit_category": near}, "well": tv < 0.15 and near > 0.7}))
