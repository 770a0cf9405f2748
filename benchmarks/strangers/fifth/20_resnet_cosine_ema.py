"""Twenty-dimensional data on a curved surface, residual generator, cosine decay, averaged weights."""
LABEL = {"sick": False, "causes": [], "kind": "healthy GAN with a residual generator, cosine decay of the rates and an averaged generator", "since": None, "record": "lines"}
import copy, os, sys
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.optim.lr_scheduler import CosineAnnealingLR
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

P, LATENT, STEPS, BATCH = 20, 10, 900, 100
frozen = torch.Generator().manual_seed(8)
W1 = torch.randn(3, 40, generator=frozen)
W2 = torch.randn(40, P, generator=frozen) / 40 ** 0.5

def surface(n):
    u = torch.rand(n, 3) * 2 - 1
    return torch.sin(u @ W1) @ W2 + 0.05 * torch.randn(n, P)

class Block(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(w, w), nn.BatchNorm1d(w), nn.ReLU(), nn.Linear(w, w))
        self.gain = nn.Parameter(torch.tensor(0.3))
    def forward(self, x):
        return x + self.gain * self.body(x)

def make_generator():
    return nn.Sequential(nn.Linear(LATENT, 96), Block(96), Block(96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, P))

def make_discriminator():
    return nn.Sequential(nn.Linear(P, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

def average(target, source, beta):
    with torch.no_grad():
        for t, s in zip(target.state_dict().values(), source.state_dict().values()):
            if t.dtype.is_floating_point:
                t.lerp_(s, 1 - beta)
            else:
                t.copy_(s)

gen, dis = make_generator(), make_discriminator()
smooth = copy.deepcopy(gen).eval()
og = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.3, 0.99))
od = torch.optim.Adam(dis.parameters(), lr=1e-3, betas=(0.3, 0.99))
plans = [CosineAnnealingLR(o, STEPS, 5e-5) for o in (og, od)]

with gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od) as recorder:
    for step in range(STEPS):
        x = surface(BATCH).requires_grad_()
        y = gen(torch.randn(BATCH, LATENT))
        sx, sy = dis(x), dis(y.detach())
        pen = 0.2 * torch.autograd.grad(sx.sum(), x, create_graph=True)[0].square().sum(1).mean()
        ld = softplus(-sx).mean() + softplus(sy).mean()
        od.zero_grad(); (ld + pen).backward(); od.step()
        lg = softplus(-dis(y)).mean()
        og.zero_grad(); lg.backward(); og.step()
        average(smooth, gen, 0.98)
        for p in plans:
            p.step()
        recorder.step(real_logits=sx, fake_logits=sy, d_loss=ld, g_loss=lg, d_penalty=pen, real=x, fake=y)

with torch.no_grad():
    s = smooth(torch.randn(1000, LATENT))
e = outside.energy(s, surface(1000))
outside.say(e < 0.02, energy=e)
