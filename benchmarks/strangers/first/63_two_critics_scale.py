"""Coloured noise signals judged at two scales inside one D module (sum of a fine and a coarse head); LS."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "multi-scale D", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def signal(n): w = torch.randn(n, 1, 24).cumsum(2) * 0.25; return torch.tanh(w - w.mean(2, keepdim=True))
class MultiScale(nn.Module):
    def __init__(s):
        super().__init__(); mk = lambda: nn.Sequential(nn.Conv1d(1, 24, 5, 2, 2), nn.LeakyReLU(0.2), nn.Conv1d(24, 24, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.LazyLinear(1)); s.fine, s.coarse, s.pool = mk(), mk(), nn.AvgPool1d(2)
    def forward(s, x): return s.fine(x) + s.coarse(s.pool(x))
G = nn.Sequential(nn.Linear(16, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 24), nn.Tanh(), nn.Unflatten(1, (1, 24))); D = MultiScale(); D(signal(2))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(1000):
    f = G(torch.randn(48, 16)); ld = 0.5 * ((D(signal(48)) - 1) ** 2).mean() + 0.5 * (D(f.detach()) ** 2).mean(); od.zero_grad(); ld.backward(); od.step()
    lg = 0.5 * ((D(f) - 1) ** 2).mean(); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 16))
e = outside.energy(f, signal(1000)); outside.say(e < 0.05, energy=e)
