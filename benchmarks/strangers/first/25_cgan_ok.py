"""Conditional digits with embeddings in both nets, hinge loss and spectral norm; sound."""
import os, sys, torch, torch.nn as nn
from torch.nn.utils.parametrizations import spectral_norm as sn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "conditional projection GAN", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X, Y = outside.digits()
class Gen(nn.Module):
    def __init__(s):
        super().__init__(); s.e = nn.Embedding(10, 16); s.f = nn.Sequential(nn.Linear(32, 160), nn.BatchNorm1d(160), nn.ReLU(), nn.Linear(160, 160), nn.BatchNorm1d(160), nn.ReLU(), nn.Linear(160, 64), nn.Tanh())
    def forward(s, z, y): return s.f(torch.cat([z, s.e(y)], 1)).view(-1, 1, 8, 8)
class Dis(nn.Module):
    def __init__(s):
        super().__init__(); s.b = nn.Sequential(nn.Flatten(), sn(nn.Linear(64, 160)), nn.LeakyReLU(0.1), sn(nn.Linear(160, 96)), nn.LeakyReLU(0.1)); s.o = sn(nn.Linear(96, 1)); s.e = sn(nn.Embedding(10, 96))
    def forward(s, x, y): h = s.b(x); return s.o(h) + (s.e(y) * h).sum(1, keepdim=True)
G, D = Gen(), Dis(); og = torch.optim.Adam(G.parameters(), 5e-4, (0.0, 0.9)); od = torch.optim.Adam(D.parameters(), 2e-3, (0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(1100):
    i = torch.randint(len(X), (64,)); y = Y[i]; f = G(torch.randn(64, 16), y)
    ld = torch.relu(1 - D(X[i], y)).mean() + torch.relu(1 + D(f.detach(), y)).mean(); od.zero_grad(); ld.backward(); od.step()
    y2 = torch.randint(10, (64,)); lg = -D(G(torch.randn(64, 16), y2), y2).mean(); og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close(); G.eval()
with torch.no_grad(): y = torch.arange(800) % 10; f = G(torch.randn(800, 16), y)
c, n, a = outside.digit_quality(f, y); outside.say(c >= 9 and n < 1.6 and a > 0.75, classes=c, nn=n, accuracy=a)
