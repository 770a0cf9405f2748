"""Little flags, 8x8 in three colours. The game of Goodfellow et al. (2014), literally."""
LABEL = {"sick": True, "causes": ["discriminator_dominance", "vanishing_generator_gradient", "objective_fault"], "kind": "saturating log(1 - D) against a discriminator with a larger rate and several steps", "since": 0, "record": "automatic"}
import argparse, os, sys
import torch
from torch import nn
import gandiag, outside

torch.set_num_threads(1)

def flags(n):
    """Two or three stripes, horizontal or vertical, in two colours out of four."""
    pal = torch.tensor([[0.9, -0.8, -0.8], [-0.8, 0.7, -0.6], [-0.8, -0.7, 0.9], [0.9, 0.9, 0.8]])
    a = torch.randint(4, (n,)); b = (a + 1 + torch.randint(3, (n,))) % 4
    img = torch.empty(n, 3, 8, 8)
    pos = torch.arange(8)
    for i in range(n):
        k = 2 + i % 2
        band = (pos * k // 8) % 2 == 0
        stripe = torch.where(band[None, :], pal[a[i]][:, None], pal[b[i]][:, None])
        img[i] = stripe[:, :, None].expand(3, 8, 8) if (i // 2) % 2 else stripe[:, None, :].expand(3, 8, 8)
    return (img + 0.08 * torch.randn_like(img)).clamp(-1, 1)

class G(nn.Module):
    def __init__(self, z):
        super().__init__()
        self.inp = nn.Sequential(nn.Linear(z, 128), nn.LeakyReLU(0.1), nn.Linear(128, 24 * 16), nn.LeakyReLU(0.1))
        self.out = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(24, 24, 3, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(24, 3, 3, padding=1), nn.Tanh())
    def forward(self, z):
        return self.out(self.inp(z).view(-1, 24, 4, 4))

class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(3, 24, 3, 1, 1), nn.LeakyReLU(0.1), nn.Conv2d(24, 32, 4, 2, 1), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(512, 64), nn.LeakyReLU(0.1), nn.Linear(64, 1))
    def forward(self, x):
        return torch.sigmoid(self.f(x))

class Game:
    def __init__(self, a):
        self.a = a
        self.data = flags(3000)
        self.g, self.d = G(a.z), D()
        self.og = torch.optim.Adam(self.g.parameters(), a.lr_g, betas=(0.5, 0.999))
        self.od = torch.optim.Adam(self.d.parameters(), a.lr_d, betas=(0.5, 0.999))
    def batch(self):
        return self.data[torch.randint(len(self.data), (self.a.bs,))]
    def noise(self):
        return torch.randn(self.a.bs, self.a.z)
    def value(self, real, fake):
        return torch.log(self.d(real) + 1e-8).mean() + torch.log(1 - self.d(fake) + 1e-8).mean()
    def play(self):
        for _ in range(self.a.steps):
            for _ in range(self.a.k):
                v = -self.value(self.batch(), self.g(self.noise()).detach())
                self.od.zero_grad(); v.backward(); self.od.step()
            loss = torch.log(1 - self.d(self.g(self.noise())) + 1e-8).mean()
            self.og.zero_grad(); loss.backward(); self.og.step()

if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("run")
    p.add_argument("--z", type=int, default=16)
    p.add_argument("--bs", type=int, default=32)
    p.add_argument("--steps", type=int, default=500)
    p.add_argument("--k", type=int, default=3)
    p.add_argument("--lr-g", type=float, default=2e-4)
    p.add_argument("--lr-d", type=float, default=1e-3)
    a = p.parse_args()
    torch.manual_seed(int(os.environ.get("SEED", "0")))
    game = Game(a)
    with gandiag.Recorder(a.run, generator=game.g, discriminator=game.d, generator_optimizer=game.og, discriminator_optimizer=game.od, discriminator_output="probability", automatic=True):
        game.play()
    with torch.no_grad():
        s = game.g(torch.randn(800, a.z))
    e = outside.energy(s, flags(800))
    outside.say(e < 0.06, energy=e)
