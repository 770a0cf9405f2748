"""Nine bells on a grid with lookahead weights for both players, own loop."""
LABEL = {"sick": False, "causes": [], "kind": "sound: every 5 steps both players are pulled half way back to slow weights", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
grid = torch.cartesian_prod(torch.arange(-1., 2.), torch.arange(-1., 2.)) * 1.5
real_batch = lambda n: grid[torch.randint(9, (n,))] + 0.2 * torch.randn(n, 2)


class Lookahead:
    def __init__(self, params, k=5, alpha=0.5):
        self.params, self.k, self.alpha, self.count = list(params), k, alpha, 0
        self.slow = [p.detach().clone() for p in self.params]

    @torch.no_grad()
    def tick(self):
        self.count += 1
        if self.count % self.k == 0:
            for p, s in zip(self.params, self.slow):
                s.lerp_(p, self.alpha)
                p.copy_(s)


gen = nn.Sequential(nn.Linear(6, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 2))
dis = nn.Sequential(nn.Linear(2, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1))
og, od = torch.optim.Adam(gen.parameters(), 3e-3, betas=(0.0, 0.99)), torch.optim.Adam(dis.parameters(), 3e-3, betas=(0.0, 0.99))
slow_g, slow_d = Lookahead(gen.parameters()), Lookahead(dis.parameters())
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od, automatic=True)
for step in range(850):
    x = real_batch(160).requires_grad_()
    y = gen(torch.randn(160, 6))
    out = dis(x)
    r1 = torch.autograd.grad(out.sum(), x, create_graph=True)[0].square().sum(1).mean()
    od.zero_grad()
    (F.softplus(-out).mean() + F.softplus(dis(y.detach())).mean() + 0.05 * r1).backward()
    od.step(); slow_d.tick()
    og.zero_grad()
    F.softplus(-dis(y)).mean().backward()
    og.step(); slow_g.tick()
rec.close()
with torch.no_grad():
    s = gen(torch.randn(3000, 6))
r = real_batch(1500)
e = float((2 * torch.cdist(s[:1500], r).mean() - torch.cdist(s[:1500], s[:1500]).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())
d, k = torch.cdist(s, grid).min(1)
good, modes = float((d < 0.5).float().mean()), int((torch.bincount(k[d < 0.5], minlength=9) > 60).sum())
print(json.dumps({"outcome": {"good": good, "modes": modes, "energy": e}, "well": modes == 9 and e < 0.02}))
