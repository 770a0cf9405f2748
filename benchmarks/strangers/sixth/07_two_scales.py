"""Signals of 32 points with a slow wave and a fine ripple, judged at two scales as pix2pixHD does."""
import math, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault"],
         "kind": "the generator's loss is taken after the loop over discriminators: only the coarse one counts, "
                 "the fine one is never fooled", "since": 0,
         "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
N = 32

def signals(n):
    t = torch.arange(N) / N
    slow = (0.6 + 0.6 * torch.rand(n, 1)) * torch.sin(2 * math.pi * (t + torch.rand(n, 1)))
    fine = 0.5 * torch.sin(2 * math.pi * (8 * t + torch.rand(n, 1)))
    return slow + fine + 0.03 * torch.randn(n, N)

def coarse(x):
    return F.avg_pool1d(x[:, None], 4).squeeze(1)

def mlp(*sizes):
    out = []
    for a, b in zip(sizes, sizes[1:]):
        out += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*out[:-1])

G = mlp(10, 128, 128, 128, N)
judges = nn.ModuleDict({"fine": mlp(N, 128, 128, 1), "coarse": mlp(N // 4, 64, 64, 1)})
views = {"fine": lambda x: x, "coarse": coarse}
opt_g = torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(judges.parameters(), lr=8e-4, betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=judges["fine"], generator_optimizer=opt_g, discriminator_optimizer=opt_d)

for step in range(2200):
    real, fake = signals(64), G(torch.randn(64, 10))
    d_loss = 0
    scores = {}
    for name, D in judges.items():
        x = views[name](real).requires_grad_()
        r, f = D(x), D(views[name](fake.detach()))
        slope, = torch.autograd.grad(r.sum(), x, create_graph=True)
        d_loss = d_loss + F.softplus(-r).mean() + F.softplus(f).mean() + 0.05 * slope.pow(2).sum(1).mean()
        scores[name] = r, f
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    g_loss = 0
    for name, D in judges.items():
        score = D(views[name](fake))
    g_loss = g_loss + F.softplus(-score).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=scores["fine"][0], fake_logits=scores["fine"][1], real=real, fake=fake)
rec.close()

with torch.no_grad():
    s = G(torch.randn(1000, 10))
t = signals(1000)
e = outside.energy(s, t)
power = lambda x: torch.fft.rfft(x).abs().pow(2).mean(0)
ripple = (power(s)[8] / power(t)[8]).item()
junk = (power(s)[3:7].sum() + power(s)[10:].sum()).item() / power(t).sum().item()
outside.say(e < 0.03 and 0.7 < ripple < 1.3 and junk < 0.08, energy=e, ripple=ripple, junk=junk)
