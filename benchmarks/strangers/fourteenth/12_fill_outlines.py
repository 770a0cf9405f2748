"""pix2pix in small: outline of a shape in, filled and coloured shape out; L1 weight 100 as in the paper."""
LABEL = {"sick": False, "causes": [], "kind": "L1 outweighs the game a hundredfold as pix2pix wants it, discriminator updated every other step; the pairs have one right answer and it is found", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

LAMBDA_L1 = 100.0
N_TRAIN, BATCH, STEPS = 1000, 24, 1300


def make_pairs(n):
    """boxes -> orange, triangles -> blue; 8x8"""
    outline = -np.ones((n, 1, 8, 8), "float32")
    filled = -np.ones((n, 3, 8, 8), "float32")
    for k in range(n):
        s = np.random.randint(4, 7)
        r, c = np.random.randint(0, 9 - s, 2)
        inside = np.zeros((8, 8), bool)
        if np.random.rand() < 0.5:
            inside[r:r + s, c:c + s] = True
            colour = (0.9, 0.1, -0.8)
        else:
            for j in range(s):
                inside[r + j, c:c + j + 1] = True
            colour = (-0.8, -0.1, 0.8)
        core = inside.copy()
        p = np.pad(inside, 1)
        for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
            core &= p[dy:dy + 8, dx:dx + 8]
        outline[k, 0][inside & ~core] = 1
        for ch in range(3):
            filled[k, ch][inside] = colour[ch]
    return torch.from_numpy(outline), torch.from_numpy(filled)


class UnetGenerator(nn.Module):
    def __init__(self, f=12):
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv2d(1, f, 3, 1, 1), nn.LeakyReLU(0.2))
        self.down2 = nn.Sequential(nn.Conv2d(f, 2 * f, 4, 2, 1), nn.BatchNorm2d(2 * f), nn.LeakyReLU(0.2))
        self.down3 = nn.Sequential(nn.Conv2d(2 * f, 3 * f, 4, 2, 1), nn.LeakyReLU(0.2))
        self.up3 = nn.Sequential(nn.ConvTranspose2d(3 * f, 2 * f, 4, 2, 1), nn.BatchNorm2d(2 * f), nn.ReLU())
        self.up2 = nn.Sequential(nn.ConvTranspose2d(4 * f, f, 4, 2, 1), nn.BatchNorm2d(f), nn.ReLU())
        self.up1 = nn.Sequential(nn.Conv2d(2 * f, 3, 3, 1, 1), nn.Tanh())

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(a)
        c = self.down3(b)
        u = self.up3(c)
        u = self.up2(torch.cat([u, b], 1))
        return self.up1(torch.cat([u, a], 1))


class NLayerDiscriminator(nn.Module):
    def __init__(self, f=12):
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(4, f, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(f, 2 * f, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(2 * f, 1, 3, 1, 1))

    def forward(self, x, y):
        return self.model(torch.cat([x, y], 1))


X, Y = make_pairs(N_TRAIN)
G, D = UnetGenerator(), NLayerDiscriminator()
bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_D = torch.optim.Adam(D.parameters(), lr=1e-4, betas=(0.5, 0.999))

for step in range(STEPS):
    i = np.random.randint(0, N_TRAIN, BATCH)
    x, y = X[i], Y[i]
    fake = G(x)
    if step % 2 == 0:
        pr, pf = D(x, y), D(x, fake.detach())
        loss_D = 0.5 * (bce(pr, torch.ones_like(pr)) + bce(pf, torch.zeros_like(pf)))
        opt_D.zero_grad(); loss_D.backward(); opt_D.step()
    pg = D(x, fake)
    loss_gan = bce(pg, torch.ones_like(pg))
    loss_l1 = l1(fake, y)
    loss_G = loss_gan + LAMBDA_L1 * loss_l1
    opt_G.zero_grad(); loss_G.backward(); opt_G.step()
    if step % 200 == 0:
        print(f"step {step} | D {loss_D.item():.3f} | GAN {loss_gan.item():.3f} | L1 {loss_l1.item():.4f}")

G.eval()
x, y = make_pairs(600)
with torch.no_grad():
    out = G(x)
err = (out - y).abs().mean().item()
e = outside.energy(out, y)
outside.say(err < 0.06 and e < 0.05, l1=err, energy=e)
