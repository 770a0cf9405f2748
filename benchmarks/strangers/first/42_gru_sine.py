"""Sine sequences of 16 steps by a GRU generator and a GRU discriminator, least squares."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "GRU against GRU, LSGAN", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
T = torch.arange(16) / 16
def sines(n): return torch.sin(2 * math.pi * ((1 + torch.rand(n, 1)) * T + torch.rand(n, 1))).unsqueeze(2)
class G(nn.Module):
    def __init__(s): super().__init__(); s.r = nn.GRU(6, 48, batch_first=True); s.o = nn.Linear(48, 1)
    def forward(s, z): return torch.tanh(s.o(s.r(z.unsqueeze(1).expand(-1, 16, -1))[0])) * 1.1
class D(nn.Module):
    def __init__(s): super().__init__(); s.r = nn.GRU(1, 48, batch_first=True); s.o = nn.Linear(48, 1)
    def forward(s, x): return s.o(s.r(x)[0][:, -1])
g, d = G(), D(); og, od = torch.optim.Adam(g.parameters(), 2e-3, (0.5, 0.99)), torch.optim.Adam(d.parameters(), 2e-3, (0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od)
for s in range(900):
    f = g(torch.randn(64, 6)); ld = ((d(sines(64)) - 1) ** 2).mean() + (d(f.detach()) ** 2).mean(); od.zero_grad(); ld.backward(); od.step()
    lg = ((d(f) - 1) ** 2).mean(); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = g(torch.randn(1000, 6))
e = outside.energy(f, sines(1000)); outside.say(e < 0.08, energy=e)
