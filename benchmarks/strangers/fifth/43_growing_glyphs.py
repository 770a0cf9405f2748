"""Glyphs of strokes grown from 4x4 over 8x8 to 16x16, each new block faded in."""
LABEL = {"sick": False, "causes": [], "kind": "well: progressive growth, new layers join the optimizers, resolution of the reals doubles twice", "since": None, "record": "lines"}
import os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
CH, NZ, B = 24, 16, 20

def glyphs(n, s=16):
    u = (torch.arange(s).float() + 0.5) / s
    y, x = u.view(1, s, 1), u.view(1, 1, s)
    img = torch.zeros(n, s, s)
    col = 0.25 + 0.5 * torch.rand(n, 1, 1)
    img = torch.maximum(img, torch.exp(-((x - col) / 0.09) ** 2).expand(n, s, s))            # stem
    row = torch.where(torch.rand(n, 1, 1) < 0.5, 0.2, 0.75) + 0.05 * torch.randn(n, 1, 1)
    img = torch.maximum(img, torch.exp(-((y - row) / 0.09) ** 2).expand(n, s, s))            # bar at the top or at the foot
    return (2 * img - 1).unsqueeze(1)

class Grower(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Linear(NZ, CH * 16)
        self.blocks, self.toimg = nn.ModuleList(), nn.ModuleList([nn.Conv2d(CH, 1, 1)])
        self.alpha = 1.0
    def grow(self):
        b, t = nn.Sequential(nn.Conv2d(CH, CH, 3, padding=1), nn.LeakyReLU(0.2)), nn.Conv2d(CH, 1, 1)
        self.blocks.append(b); self.toimg.append(t)
        return list(b.parameters()) + list(t.parameters())
    def forward(self, z):
        h = F.leaky_relu(self.start(z), 0.2).view(-1, CH, 4, 4)
        prev = None
        for b in self.blocks:
            prev, h = h, b(F.interpolate(h, scale_factor=2))
        img = self.toimg[len(self.blocks)](h)
        if self.alpha < 1:
            img = self.alpha * img + (1 - self.alpha) * F.interpolate(self.toimg[len(self.blocks) - 1](prev), scale_factor=2)
        return torch.tanh(img)

class Shrinker(nn.Module):
    def __init__(self):
        super().__init__()
        self.fromimg, self.blocks = nn.ModuleList([nn.Conv2d(1, CH, 1)]), nn.ModuleList()
        self.end = nn.Sequential(nn.Conv2d(CH, CH, 3, padding=1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(CH * 16, 1))
        self.alpha = 1.0
    def grow(self):
        b, f = nn.Sequential(nn.Conv2d(CH, CH, 3, padding=1), nn.LeakyReLU(0.2), nn.AvgPool2d(2)), nn.Conv2d(1, CH, 1)
        self.blocks.append(b); self.fromimg.append(f)
        return list(b.parameters()) + list(f.parameters())
    def forward(self, x):
        k = len(self.blocks)
        h = F.leaky_relu(self.fromimg[k](x), 0.2)
        for i in range(k - 1, -1, -1):
            h = self.blocks[i](h)
            if i == k - 1 and self.alpha < 1:
                h = self.alpha * h + (1 - self.alpha) * F.leaky_relu(self.fromimg[k - 1](F.avg_pool2d(x, 2)), 0.2)
        return self.end(h).squeeze(1)

full = glyphs(3000)
G, D = Grower(), Shrinker()
og, od = (torch.optim.Adam(m.parameters(), 1e-3, betas=(0.0, 0.99)) for m in (G, D))

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for stage, steps in enumerate((160, 190, 280)):
        if stage:
            og.add_param_group({"params": G.grow()})
            od.add_param_group({"params": D.grow()})
        data = F.avg_pool2d(full, 2 ** (2 - stage)) if stage < 2 else full
        for i in range(steps):
            G.alpha = D.alpha = min(1.0, (i + 1) / 80) if stage else 1.0
            x = data[torch.randint(len(data), (B,))].requires_grad_(True)
            fake = G(torch.randn(B, NZ))
            r, f = D(x), D(fake.detach())
            grad, = torch.autograd.grad(r.sum(), x, create_graph=True)
            ld = F.softplus(-r).mean() + F.softplus(f).mean() + 0.5 * grad.pow(2).flatten(1).sum(1).mean()
            od.zero_grad(); ld.backward(); od.step()
            lg = F.softplus(-D(fake)).mean()
            og.zero_grad(); lg.backward(); og.step()
            rec.step(d_loss=ld, g_loss=lg, real_logits=r, fake_logits=f)

with torch.no_grad():
    s = G(torch.randn(600, NZ))
e = outside.energy(s, glyphs(600))
outside.say(e < 0.04, energy=e)
