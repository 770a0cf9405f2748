"""The well-known GAN in fifty lines: one bell curve, the discriminator judges a whole handful of numbers through their moments."""
LABEL = {"sick": False, "causes": [], "kind": "D sees one row of four statistics a step (batch of one), SGD-like noise in the losses, but the bell is matched", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch, torch.nn as nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED), np.random.seed(SEED), torch.manual_seed(SEED), torch.set_num_threads(1)
MEAN, STD, N = 4.0, 1.25, 300

class Net(nn.Module):
    def __init__(self, i, h, o, f):
        super().__init__()
        self.a, self.b, self.c, self.f = nn.Linear(i, h), nn.Linear(h, h), nn.Linear(h, o), f
    def forward(self, x):
        return self.c(self.f(self.b(self.f(self.a(x)))))

class Judge(Net):
    def forward(self, x):
        m = x.mean(); d = x - m; s = d.pow(2).mean().clamp_min(1e-4).sqrt(); u = d / s
        return super().forward(torch.stack([m, s, u.pow(3).mean(), u.pow(4).mean() - 3])[None])

G = Net(1, 16, 1, torch.tanh)
D = Judge(4, 24, 1, nn.LeakyReLU(0.1))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
crit = nn.BCEWithLogitsLoss()
one, nil = torch.ones(1, 1), torch.zeros(1, 1)
draw = lambda: MEAN + STD * torch.randn(N, 1)
avg = None
for epoch in range(4000):
    d_opt.zero_grad()
    (crit(D(draw()), one) + crit(D(G(torch.randn(N, 1)).detach()), nil)).backward()
    d_opt.step()
    g_opt.zero_grad()
    crit(D(G(torch.randn(N, 1))), one).backward()
    g_opt.step()
    if epoch > 2800:
        for o in (g_opt, d_opt):
            o.param_groups[0]["lr"] = 1e-3 * (4000 - epoch) / 1200
with torch.no_grad():
    s = G(torch.randn(1000, 1))
e = outside.energy(s, MEAN + STD * torch.randn(1000, 1))
outside.say(e < 0.02 and abs(float(s.mean()) - MEAN) < 0.35 and abs(float(s.std()) - STD) < 0.35, energy=e, mean=s.mean().item(), std=s.std().item())
