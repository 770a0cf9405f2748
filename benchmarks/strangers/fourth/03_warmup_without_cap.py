"""Eight bells on a ring, non-saturating GAN with learning rate warm-up."""
LABEL = {"sick": True, "causes": ["learning_rate", "mode_collapse", "oscillation"], "kind": "linear warm-up that never stops: rates grow without end", "since": None, "record": "lines"}
import json, math, os, sys
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.optim.lr_scheduler import LambdaLR
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
STEPS, B, WARMUP = 900, 96, 30

def ring(n):
    k = torch.randint(8, (n,)) * (2 * math.pi / 8)
    return torch.stack([k.cos(), k.sin()], 1) * 2 + 0.05 * torch.randn(n, 2)

def make_net(sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])

warm = lambda step: (step + 1) / WARMUP
G, D = make_net([8, 64, 64, 2]), make_net([2, 64, 64, 1])
og = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.9))
od = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.9))
schedulers = [LambdaLR(og, warm), LambdaLR(od, warm)]
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for i in range(STEPS):
    x = ring(B) + 0.05 * torch.randn(B, 2)
    f = G(torch.randn(B, 8))
    fn = f + 0.05 * torch.randn(B, 2)
    x.requires_grad_()
    dx = D(x)
    slope, = torch.autograd.grad(dx.sum(), x, create_graph=True)
    ld = softplus(-dx).mean() + softplus(D(fn.detach())).mean() + 0.02 * slope.square().sum(1).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = softplus(-D(fn)).mean()
    og.zero_grad(); lg.backward(); og.step()
    for s in schedulers:
        s.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()

with torch.no_grad():
    s = G(torch.randn(2000, 8))
c = torch.tensor([[2 * math.cos(k * math.pi / 4), 2 * math.sin(k * math.pi / 4)] for k in range(8)])
d, who = torch.cdist(s, c).min(1)
good = d < 0.3
modes = int((torch.bincount(who[good], minlength=8) > 60).sum())
print(json.dumps({"outcome": {"modes": modes, "good": float(good.float().mean())}, "well": modes >= 7 and float(good.float().mean()) > 0.4}))
