"""Conditional digits where G's labels are torch.randint(0, 9): the class nine is never asked for in training."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["mode_dropping", "data_mismatch"], "kind": "labels of the fakes lack the last class (randint off by one)", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X, Y = outside.digits(); oh = lambda y: nn.functional.one_hot(y, 10).float()
class Gen(nn.Module):
    def __init__(s): super().__init__(); s.f = nn.Sequential(nn.Linear(26, 160), nn.BatchNorm1d(160), nn.ReLU(), nn.Linear(160, 160), nn.BatchNorm1d(160), nn.ReLU(), nn.Linear(160, 64), nn.Tanh())
    def forward(s, z, y): return s.f(torch.cat([z, oh(y)], 1)).view(-1, 1, 8, 8)
class Dis(nn.Module):
    def __init__(s): super().__init__(); s.f = nn.Sequential(nn.Linear(74, 160), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(160, 80), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(80, 1))
    def forward(s, x, y): return s.f(torch.cat([x.flatten(1), oh(y)], 1))
G, D = Gen(), Dis(); og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 7e-4, (0.5, 0.99)); bce = nn.BCEWithLogitsLoss(); one, zero = torch.ones(64, 1), torch.zeros(64, 1)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(1000):
    i = torch.randint(len(X), (64,)); y = torch.randint(0, 9, (64,)); f = G(torch.randn(64, 16), y)
    ld = bce(D(X[i], Y[i]), one) + bce(D(f.detach(), y), zero); od.zero_grad(); ld.backward(); od.step()
    lg = bce(D(f, y), one); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close(); G.eval()
with torch.no_grad(): y = torch.full((300,), 9); f = G(torch.randn(300, 16), y); y2 = torch.arange(300) % 9; f2 = G(torch.randn(300, 16), y2)
_, _, a = outside.digit_quality(f, y); _, _, b = outside.digit_quality(f2, y2); outside.say(a > 0.5, nines=a, others=b)
