"""pix2pix, grey -> colour, 12x12. lambda = 100 as in the paper."""
import os
import random
import numpy as np
import torch
from torch import nn
import outside

LABEL = {"sick": False, "causes": [], "kind": "the L1 term (x100) dwarfs the adversarial one: the generator's loss falls from tens, D stays clearly ahead", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def scenes(n):
    """a fruit on a table; its shape tells its colour"""
    y, x = np.mgrid[:12, :12].astype(np.float32)
    out = np.zeros((n, 3, 12, 12), np.float32)
    for i in range(n):
        k = np.random.randint(3)
        cy, cx = np.random.uniform(4, 7, 2)
        ry, rx = [(2.6, 2.6), (1.5, 3.6), (3.6, 1.5)][k]
        col = np.array([(0.9, 0.2, 0.15), (0.95, 0.85, 0.2), (0.3, 0.7, 0.2)][k])
        q = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2
        m = 1 / (1 + np.exp(4 * (q - 1)))
        light = 0.75 + 0.25 * np.exp(-((y - cy + 1) ** 2 + (x - cx + 1) ** 2) / 3)
        table = np.where(y > np.random.uniform(7, 9), 0.45, 0.85)
        bg = table[None] * np.array([1.0, 0.9, 0.75])[:, None, None]
        out[i] = m * light * col[:, None, None] + (1 - m) * bg
    c = torch.from_numpy(out)
    return c.mul(torch.tensor([.3, .59, .11]).view(1, 3, 1, 1)).sum(1, keepdim=True) * 2 - 1, c * 2 - 1


def down(i, o, norm=True):
    return nn.Sequential(nn.Conv2d(i, o, 4, 2, 1), *([nn.BatchNorm2d(o)] if norm else []), nn.LeakyReLU(0.2))


class Colouriser(nn.Module):
    def __init__(self):
        super().__init__()
        self.inc = nn.Conv2d(1, 16, 3, 1, 1)
        self.down1, self.down2 = down(16, 32), down(32, 48)
        self.up1 = nn.Sequential(nn.ConvTranspose2d(48, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.Dropout(0.1), nn.ReLU())
        self.up2 = nn.Sequential(nn.ConvTranspose2d(64, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU())
        self.outc = nn.Conv2d(32, 3, 1)

    def forward(self, g):
        a = torch.relu(self.inc(g))
        b = self.down1(a)
        c = self.down2(b)
        return torch.tanh(self.outc(torch.cat([self.up2(torch.cat([self.up1(c), b], 1)), a], 1)))


grey, colour = scenes(1600)
net = Colouriser()
patch = nn.Sequential(nn.Conv2d(4, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 32, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 1))
opt_net = torch.optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.999))
opt_patch = torch.optim.Adam(patch.parameters(), 5e-4, betas=(0.5, 0.999))
bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()

for ep in range(10):
    for idx in torch.randperm(len(grey)).split(32):
        g, c = grey[idx], colour[idx]
        pred = net(g)
        r, f = patch(torch.cat([g, c], 1)), patch(torch.cat([g, pred.detach()], 1))
        loss_patch = bce(r, torch.ones_like(r)) + bce(f, torch.zeros_like(f))
        opt_patch.zero_grad(); loss_patch.backward(); opt_patch.step()
        f = patch(torch.cat([g, pred], 1))
        loss_net = bce(f, torch.ones_like(f)) + 100 * l1(pred, c)
        opt_net.zero_grad(); loss_net.backward(); opt_net.step()
    if ep % 5 == 0:
        print(f"epoch {ep}  patch {loss_patch.item():.3f}  net {loss_net.item():.2f}")

net.eval()
tg, tc = scenes(400)
with torch.no_grad():
    p = net(tg)
err, base = (p - tc).abs().mean().item(), (colour.mean(0) - tc).abs().mean().item()
outside.say(err < 0.35 * base, l1=err, l1_of_mean_image=base, energy=outside.energy(p, tc))
