"""pix2pixHD-like multi-scale discriminators without condition, LSGAN, 3x12x12 flags. Trainer of a lab fork."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "oscillation"],
         "kind": "D's gradients are never set to zero: they add up over the whole training, G's passes included",
         "since": 0, "record": "attach"}


def flags(n, s=12):
    """three horizontal or vertical bands out of a palette of six colours"""
    pal = np.array([[.9, .1, .1], [.1, .1, .7], [.95, .95, .95], [.1, .6, .2], [.95, .8, .1], [.1, .1, .1]], "float32")
    c = pal[np.stack([np.random.permutation(6)[:3] for _ in range(n)])]
    img = np.repeat(c, s // 3, axis=1)[:, :, None].repeat(s, 2)
    v = np.random.rand(n) < .5
    img[v] = img[v].transpose(0, 2, 1, 3)
    img += .03 * np.random.randn(*img.shape)
    return torch.tensor(img.transpose(0, 3, 1, 2) * 2 - 1, dtype=torch.float32)


class NLayerD(nn.Module):
    def __init__(self, f=16):
        super().__init__()
        self.m = nn.Sequential(nn.Conv2d(3, f, 3, 1, 1), nn.LeakyReLU(.2, True), nn.Conv2d(f, 2 * f, 4, 2, 1), nn.LeakyReLU(.2, True), nn.Conv2d(2 * f, 1, 3))

    def forward(self, x):
        return self.m(x)


class MultiscaleD(nn.Module):
    def __init__(self, num_D=2):
        super().__init__()
        self.scales = nn.ModuleList(NLayerD() for _ in range(num_D))

    def forward(self, x):
        out = []
        for d in self.scales:
            out.append(d(x).flatten(1))
            x = F.avg_pool2d(x, 2)
        return torch.cat(out, 1)


class GlobalG(nn.Module):
    def __init__(self, nz=32):
        super().__init__()
        self.nz = nz
        self.fc = nn.Sequential(nn.Linear(nz, 128), nn.ReLU(), nn.Linear(128, 32 * 9), nn.BatchNorm1d(32 * 9), nn.ReLU())
        self.up = nn.Sequential(nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.ReLU(), nn.ConvTranspose2d(24, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 3, 3, 1, 1), nn.Tanh())

    def forward(self, z):
        return self.up(self.fc(z).view(-1, 32, 3, 3))


class Pix2PixHDTrainer:
    def __init__(self, lr=5e-4):
        self.G, self.D = GlobalG(), MultiscaleD()
        self.optimizer_G = torch.optim.Adam(self.G.parameters(), lr=lr, betas=(.5, .999))
        self.optimizer_D = torch.optim.Adam(self.D.parameters(), lr=lr, betas=(.5, .999))

    def run_discriminator_one_step(self, x):
        with torch.no_grad():
            fake = self.G(torch.randn(len(x), self.G.nz))
        self.d_loss = .5 * ((self.D(x) - 1).pow(2).mean() + self.D(fake).pow(2).mean())
        self.d_loss.backward()
        self.optimizer_D.step()

    def run_generator_one_step(self, n):
        self.optimizer_G.zero_grad()
        self.g_loss = (self.D(self.G(torch.randn(n, self.G.nz))) - 1).pow(2).mean()
        self.g_loss.backward()
        self.optimizer_G.step()


def main():
    seed = int(os.environ.get("SEED", "0"))
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed); torch.set_num_threads(1)
    data = flags(1200)
    trainer = Pix2PixHDTrainer()
    for i in range(600):
        trainer.run_discriminator_one_step(data[torch.randint(1200, (32,))])
        trainer.run_generator_one_step(32)
        if i % 200 == 0:
            print(f"iter {i} D {trainer.d_loss.item():.3f} G {trainer.g_loss.item():.3f}")
    with torch.no_grad():
        s = trainer.G(torch.randn(800, 32))
    e = outside.energy(s, flags(1000))
    outside.say(e < .1, energy=e)


if __name__ == "__main__":
    main()
