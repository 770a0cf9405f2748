"""A generator of a resnet kind on a spiral, hinge with R1 every 8 steps (lazy), EMA of G for sampling."""
import os, sys, copy, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "hinge, lazy R1, EMA used for sampling only", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def spiral(n): u = torch.rand(n) ** 0.5; a = 4 * u + 0.5; return 2 * torch.stack([u * a.cos(), u * a.sin()], 1) + 0.04 * torch.randn(n, 2)
class Res(nn.Module):
    def __init__(s, w): super().__init__(); s.a, s.b = nn.Linear(w, w), nn.Linear(w, w)
    def forward(s, h): return h + s.b(torch.relu(s.a(torch.relu(h))))
G = nn.Sequential(nn.Linear(4, 64), Res(64), Res(64), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), Res(64), Res(64), nn.Linear(64, 1)); ema = copy.deepcopy(G)
og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.0, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, (0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(1000):
    r = spiral(128).requires_grad_(); a = D(r); ld = torch.relu(1 - a).mean() + torch.relu(1 + D(G(torch.randn(128, 4)).detach())).mean()
    if s % 8 == 0: ld = ld + 8 * 0.1 * torch.autograd.grad(a.sum(), r, create_graph=True)[0].pow(2).sum(1).mean()
    od.zero_grad(); ld.backward(); od.step(); lg = -D(G(torch.randn(128, 4))).mean(); og.zero_grad(); lg.backward(); og.step()
    with torch.no_grad():
        for p, q in zip(ema.parameters(), G.parameters()): p.lerp_(q, 0.02)
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = ema(torch.randn(1000, 4)); h = G(torch.randn(1000, 4))
e, e2 = outside.energy(f, spiral(1000)), outside.energy(h, spiral(1000)); outside.say(e < 0.03 and e2 < 0.04, ema=e, live=e2)
