"""Web-shop orders: five kinds of customer in eight columns, two of them rare. Top-k training of the generator."""
LABEL = {"sick": True, "causes": ["mode_dropping"], "kind": "best-scored fakes only and a discriminator without any regularisation: the two rare kinds are lost", "since": None, "record": "automatic"}
import os, sys
from dataclasses import dataclass, field
import torch
from torch import nn, Tensor
import gandiag, outside

torch.set_num_threads(1)

@dataclass
class TopK:
    start: float = 1.0
    end: float = 0.25
    over: int = 300
    def fraction(self, step: int) -> float:
        return max(self.end, self.start - (self.start - self.end) * step / self.over)

@dataclass
class Settings:
    share: tuple = (0.35, 0.26, 0.2, 0.1, 0.09)
    columns: int = 8
    z: int = 8
    batch: int = 128
    steps: int = 1300
    lr: float = 1e-3
    topk: TopK = field(default_factory=TopK)
    seed: int = int(os.environ.get("SEED", "0"))

S = Settings()
torch.manual_seed(S.seed)
_fix = torch.Generator().manual_seed(21)
CENTRE = torch.randn(5, S.columns, generator=_fix) * 1.1
MIXING = torch.randn(5, S.columns, 3, generator=_fix) * 0.15

def orders(n: int) -> Tensor:
    k = torch.multinomial(torch.tensor(S.share), n, True)
    return CENTRE[k] + (MIXING[k] @ torch.randn(n, 3, 1))[..., 0] + 0.08 * torch.randn(n, S.columns)

G = nn.Sequential(nn.Linear(S.z, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, S.columns))
D = nn.Sequential(nn.Linear(S.columns, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=S.lr, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=S.lr, betas=(0.0, 0.99))

def run() -> None:
    for step in range(S.steps):
        x = orders(S.batch)
        y = G(torch.randn(S.batch, S.z))
        out = D(x)
        loss_d = nn.functional.softplus(-out).mean() + nn.functional.softplus(D(y.detach())).mean()
        opt_d.zero_grad(); loss_d.backward(); opt_d.step()
        score = D(y).squeeze(1)
        k = max(1, int(S.topk.fraction(step) * S.batch))
        loss_g = nn.functional.softplus(-score.topk(k).values).mean()
        opt_g.zero_grad(); loss_g.backward(); opt_g.step()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True):
    run()

with torch.no_grad():
    s = G(torch.randn(4000, S.z))
share = torch.bincount(torch.cdist(s, CENTRE).argmin(1), minlength=5) / 4000
ratio = (share / torch.tensor(S.share)).tolist()
outside.say(min(ratio) > 0.5, ratio=[round(r, 2) for r in ratio], energy=outside.energy(s, orders(1000)))
