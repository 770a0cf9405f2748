"""Leaf silhouettes 12x12; photographs from our own herbarium."""
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "memorisation"], "kind": "thirty images for a large discriminator, no augmentation", "since": None, "record": "lines"}
import os, sys
import torch
from torch import nn
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
HERBARIUM = 30
STEPS, B, Z = 700, 16, 12

def leaves(n, s=12):
    """An ellipse with a stem: position, size, slenderness, angle, brightness all vary."""
    v = torch.linspace(-1, 1, s)
    y, x = torch.meshgrid(v, v, indexing="ij")
    cx, cy = (torch.rand(2, n, 1, 1) - 0.5) * 0.7
    a = 0.45 + 0.3 * torch.rand(n, 1, 1)
    q = 0.25 + 0.45 * torch.rand(n, 1, 1)
    th = 3.1416 * torch.rand(n, 1, 1)
    u = (x - cx) * th.cos() + (y - cy) * th.sin()
    w = -(x - cx) * th.sin() + (y - cy) * th.cos()
    body = torch.sigmoid((1 - (u / a) ** 2 - (w / (a * q)) ** 2) * 4)
    return (2 * (0.6 + 0.4 * torch.rand(n, 1, 1)) * body - 1)[:, None]

class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(Z, 32 * 9)
        self.b = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.ReLU(), nn.ConvTranspose2d(24, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 1, 3, 1, 1), nn.Tanh())
    def forward(self, z):
        return self.b(self.a(z).reshape(-1, 32, 3, 3))

class Dis(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 32, 4, 2, 1), nn.Conv2d(32, 64, 4, 2, 1)
        self.f1, self.f2 = nn.Linear(64 * 9, 128), nn.Linear(128, 1)
        self.a = nn.LeakyReLU(0.2)
    def forward(self, x):
        h = self.a(self.c2(self.a(self.c1(x)))).flatten(1)
        return self.f2(self.a(self.f1(h))).view(-1)

photos = leaves(HERBARIUM)
g, d = Gen(), Dis()
og = torch.optim.Adam(g.parameters(), 5e-4, betas=(0.0, 0.99))
od = torch.optim.Adam(d.parameters(), 5e-4, betas=(0.0, 0.99))
loss = nn.BCEWithLogitsLoss()

def epochs():
    while True:
        order = torch.randperm(len(photos))
        for i in range(0, len(order) - B + 1, B):
            yield photos[order[i:i + B]]

with gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od) as recorder:
    for step, real in zip(range(STEPS), epochs()):
        real = real.clone().requires_grad_()
        fake = g(torch.randn(B, Z))
        dr, df = d(real), d(fake.detach())
        ld = loss(dr, torch.ones(B)) + loss(df, torch.zeros(B))
        slope, = torch.autograd.grad(dr.sum(), real, create_graph=True)
        r1 = 0.02 * slope.square().sum((1, 2, 3)).mean()
        od.zero_grad(); (ld + r1).backward(); od.step()
        lg = loss(d(fake), torch.ones(B))
        og.zero_grad(); lg.backward(); og.step()
        recorder.step(d_loss=ld, g_loss=lg, real=real, fake=fake, real_logits=dr, fake_logits=df, d_penalty=r1)

with torch.no_grad():
    s = g(torch.randn(1000, Z))
    new = leaves(1000)
    e = outside.energy(s, new)
    seen, unseen = d(photos), d(new)
    above = float((seen[:, None] > unseen[None]).float().mean())
    novel = float(torch.cdist(s.flatten(1), photos.flatten(1)).min(1).values.mean() / torch.cdist(new.flatten(1), photos.flatten(1)).min(1).values.mean())
outside.say(e < 0.03 and above < 0.7 and novel > 0.8, energy=e, seen_above_new=above, novelty=novel)
