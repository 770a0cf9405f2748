"""Growing GAN on toy faces: first 4x4, then 8x8 faded in, then 8x8 alone (after Karras et al. 2018, much reduced)."""
LABEL = {"sick": False, "causes": [], "kind": "the picture size changes and the losses jump twice on purpose: a 4x4 phase, a fade-in, an 8x8 phase, each with fresh optimizers", "since": None, "record": "attach"}

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

import outside


def toy_faces(n):
    """An oval head with two eyes; position, tone and eye height vary."""
    k = torch.arange(8.0) - 3.5
    y, x = torch.meshgrid(k, k, indexing="ij")
    u = lambda lo, hi: lo + (hi - lo) * torch.rand(n, 1, 1)
    cx, cy, tone, eye, rx = u(-0.6, 0.6), u(-0.6, 0.6), u(0.5, 1.0), u(0.4, 1.4), u(2.0, 3.0)
    head = torch.sigmoid(4 * (1 - (((x - cx) / rx) ** 2 + ((y - cy) / 3.2) ** 2).sqrt()))
    eyes = sum(torch.exp(-((x - cx - s) ** 2 + (y - cy + eye) ** 2) / 0.5) for s in (-1.2, 1.2))
    return (2 * tone * head * (1 - 0.8 * eyes) - 1).unsqueeze(1)


class G_net(nn.Module):
    def __init__(self, nz=12, c=24):
        super().__init__()
        self.nz, self.c = nz, c
        self.base = nn.Sequential(nn.Linear(nz, 128), nn.LeakyReLU(0.2), nn.Linear(128, 16 * c), nn.LeakyReLU(0.2))
        self.rgb4 = nn.Conv2d(c, 1, 1)
        self.grow = nn.Sequential(nn.Conv2d(c, c, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(c, c, 3, 1, 1), nn.LeakyReLU(0.2))
        self.rgb8 = nn.Conv2d(c, 1, 1)

    def forward(self, z, alpha):
        h = self.base(z).view(-1, self.c, 4, 4)
        if alpha == 0:
            return torch.tanh(self.rgb4(h))
        up = F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
        new = torch.tanh(self.rgb8(self.grow(up)))
        if alpha == 1:
            return new
        old = torch.tanh(F.interpolate(self.rgb4(h), scale_factor=2))
        return alpha * new + (1 - alpha) * old


class D_net(nn.Module):
    def __init__(self, c=24):
        super().__init__()
        self.from4 = nn.Conv2d(1, c, 1)
        self.from8 = nn.Conv2d(1, c, 1)
        self.shrink = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(c, c, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(c, c, 4, 2, 1))
        self.head = nn.Sequential(nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16 * c, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))

    def forward(self, x, alpha):
        if alpha == 0:
            return self.head(self.from4(x))
        h = self.shrink(self.from8(x))
        if alpha < 1:
            h = alpha * h + (1 - alpha) * self.from4(F.avg_pool2d(x, 2))
        return self.head(h)


def phase(G, D, data, name, steps, alpha_of, lr, batch=48):
    opt_g = torch.optim.Adam(G.parameters(), lr=lr, betas=(0.0, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr=lr, betas=(0.0, 0.99))
    for step in range(steps):
        alpha = alpha_of(step / steps)
        if name == "grown" and step == int(0.7 * steps):
            for o in (opt_g, opt_d):
                o.param_groups[0]["lr"] = lr / 5
        real = data[torch.randint(len(data), (batch,))]
        if alpha == 0:
            real = F.avg_pool2d(real, 2)
        real.requires_grad_(True)
        fake = G(torch.randn(batch, G.nz), alpha)
        out = D(real, alpha)
        g, = torch.autograd.grad(out.sum(), real, create_graph=True)
        d_loss = F.softplus(-out).mean() + F.softplus(D(fake.detach(), alpha)).mean() + 0.25 * g.square().sum((1, 2, 3)).mean()
        opt_d.zero_grad()
        d_loss.backward()
        opt_d.step()

        g_loss = F.softplus(-D(fake, alpha)).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
    print(f"{name:8s} d {d_loss.item():.3f} g {g_loss.item():.3f}")


def run():
    seed = int(os.environ.get("SEED", "0"))
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data = toy_faces(5000)
    G, D = G_net(), D_net()
    phase(G, D, data, "small", 400, lambda t: 0, 1e-3)
    phase(G, D, data, "fade", 250, lambda t: max(t, 0.01), 1e-3)
    phase(G, D, data, "grown", 650, lambda t: 1, 1e-3)
    with torch.no_grad():
        fake = G(torch.randn(1000, G.nz), 1)
    e = outside.energy(fake, toy_faces(1000))
    outside.say(e < 0.05, energy=e)


run()
