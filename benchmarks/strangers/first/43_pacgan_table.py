"""Iris measurements plus one-hot species by a softmax head, packed discriminator, BCE; CTGAN-like."""
import os, sys, torch, torch.nn as nn
from sklearn.datasets import load_iris
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "table with one-hot part, PacGAN of 2", "since": None, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
d = load_iris(); X = torch.tensor((d.data - d.data.mean(0)) / d.data.std(0), dtype=torch.float32); X = torch.cat([X, nn.functional.one_hot(torch.tensor(d.target), 3).float()], 1)
class Generator(nn.Module):
    def __init__(self): super().__init__(); self.b = nn.Sequential(nn.Linear(16, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 7))
    def forward(self, z): h = self.b(z); return torch.cat([h[:, :4], nn.functional.gumbel_softmax(h[:, 4:], tau=0.3)], 1)
class PacDisc(nn.Module):
    def __init__(self, pac=2): super().__init__(); self.pac = pac; self.s = nn.Sequential(nn.Linear(7 * pac, 96), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(96, 1))
    def forward(self, x): return self.s(x.reshape(-1, 7 * self.pac))
G, D = Generator(), PacDisc(); og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.9), weight_decay=1e-6); od = torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.9))
def fit(steps):
    for _ in range(steps):
        real = X[torch.randint(150, (60,))] + 0.02 * torch.randn(60, 7)
        yr, yf = D(real), D(G(torch.randn(60, 16)).detach()); od.zero_grad(); nn.functional.softplus(torch.cat([-yr, yf])).mean().backward(); od.step()
        og.zero_grad(); nn.functional.softplus(-D(G(torch.randn(60, 16)))).mean().backward(); og.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True): fit(900)
G.eval()
with torch.no_grad(): f = G(torch.randn(600, 16))
e = outside.energy(f, X); sp = torch.bincount(f[:, 4:].argmax(1), minlength=3) / 600; outside.say(e < 0.06 and float(sp.min()) > 0.12, energy=e, least=float(sp.min()))
