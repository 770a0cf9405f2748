"""Ring of five with an optimistic Adam written by hand as an Optimizer, minimax loss; sound."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "own optimistic Adam, R1", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
class OAdam(torch.optim.Optimizer):
    def __init__(self, params, lr): super().__init__(params, dict(lr=lr))
    @torch.no_grad()
    def step(self, closure=None):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None: continue
                s = self.state[p]
                if not s: s["t"], s["m"], s["v"], s["old"] = 0, torch.zeros_like(p), torch.zeros_like(p), torch.zeros_like(p)
                s["t"] += 1; s["m"].mul_(0.5).add_(p.grad, alpha=0.5); s["v"].mul_(0.99).addcmul_(p.grad, p.grad, value=0.01)
                d = s["m"] / (1 - 0.5 ** s["t"]) / ((s["v"] / (1 - 0.99 ** s["t"])).sqrt() + 1e-8); p.add_(2 * d - s["old"], alpha=-g["lr"]); s["old"] = d
a = torch.arange(5) * 2 * math.pi / 5; C = 1.5 * torch.stack([a.cos(), a.sin()], 1); get = lambda n=128: C[torch.randint(5, (n,))] + 0.15 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)); D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(), nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 1))
og, od = OAdam(G.parameters(), 1e-3), OAdam(D.parameters(), 2e-3); sp = nn.functional.softplus
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(1200):
    r = get().requires_grad_(); o = D(r); gr, = torch.autograd.grad(o.sum(), r, create_graph=True)
    ld = sp(-o).mean() + sp(D(G(torch.randn(128, 6)).detach())).mean() + 0.1 * gr.pow(2).sum(1).mean(); od.zero_grad(); ld.backward(); od.step()
    lg = sp(-D(G(torch.randn(128, 6)))).mean(); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 6))
m, g = outside.modes(f, C, 0.5); e = outside.energy(f, get(1000)); outside.say(m == 5 and e < 0.03, modes=m, good=g, energy=e)
