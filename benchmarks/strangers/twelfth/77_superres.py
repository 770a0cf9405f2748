"""Super-resolution GAN for fabric scans: 2x2 thumbnails blown up to 8x8 with a noise input for the weave, adversarial plus pixel loss as in SRGAN."""
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "pixel loss is summed over all pixels and the batch and weighted, it drowns the adversarial loss; output is blurred", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

hparams = dict(lr=1e-3, batch=32, pixel_weight=10.0, adv_weight=1.0, noise=16, iters=1100)
content = nn.MSELoss(reduction="sum")



def fabric(n):
    """shade that a thumbnail keeps, and a weave whose phase it cannot show"""
    shade = F.interpolate(torch.rand(n, 1, 2, 2) - 0.5, size=8, mode="bilinear", align_corners=False)
    k = torch.arange(8.0)
    phase = 2 * np.pi * torch.rand(n, 1, 1, 1)
    slant = torch.where(torch.rand(n, 1, 1, 1) < 0.5, 1.0, -1.0)
    weave = torch.sin(np.pi / 2 * (k[None, None, :, None] + slant * k[None, None, None, :]) + phase)
    return 0.8 * shade + 0.45 * weave


train, test = fabric(4000), fabric(800)
down = lambda x: F.avg_pool2d(x, 4)


class Upscaler(nn.Module):
    def __init__(self, noise, c=32):
        super().__init__()
        self.noise = noise
        self.fc = nn.Linear(4 + noise, c * 16)
        self.c1 = nn.Conv2d(c, c, 3, 1, 1)
        self.c2 = nn.Conv2d(c, c * 4, 3, 1, 1)
        self.shuffle = nn.PixelShuffle(2)
        self.c3 = nn.Conv2d(c, 1, 3, 1, 1)

    def forward(self, low):
        z = torch.randn(len(low), self.noise)
        h = F.relu(self.fc(torch.cat([low.flatten(1), z], 1))).view(len(low), -1, 4, 4)
        h = h + F.relu(self.c1(h))
        return torch.tanh(self.c3(F.relu(self.shuffle(self.c2(h)))))


class PairCritic(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.a = nn.Conv2d(2, c, 3, 1, 1)
        self.b = nn.Conv2d(c, 2 * c, 4, 2, 1)
        self.o = nn.Linear(2 * c * 16, 1)

    def forward(self, low, high):
        x = torch.cat([F.interpolate(low, scale_factor=4), high], 1)
        h = F.leaky_relu(self.b(F.leaky_relu(self.a(x), 0.2)), 0.2)
        return torch.sigmoid(self.o(F.dropout(h.flatten(1), 0.3, self.training)))


G, D = Upscaler(hparams["noise"]), PairCritic()
g_opt = torch.optim.Adam(G.parameters(), lr=hparams["lr"], betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=hparams["lr"] / 2, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
bce = nn.BCELoss()
for it in range(hparams["iters"]):
    hi = train[torch.randint(0, len(train), (hparams["batch"],))]
    lo = down(hi)
    sr = G(lo)
    ok, no = torch.ones(len(hi), 1), torch.zeros(len(hi), 1)
    d_loss = bce(D(lo, hi), ok) + bce(D(lo, sr.detach()), no)
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    pixel = content(sr, hi)
    adversarial = bce(D(lo, sr), ok)
    g_loss = hparams["adv_weight"] * adversarial + hparams["pixel_weight"] * pixel
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if it % 200 == 0:
        print(f"{it} d {d_loss.item():.3f} adv {adversarial.item():.3f} pixel {pixel.item():.3f}")
rec.close()

with torch.no_grad():
    sr = G(down(test))
detail = lambda x: (x - F.interpolate(down(x), scale_factor=4)).std().item()
sharp = detail(sr) / detail(test)
e = outside.energy(sr, test)
outside.say(sharp > 0.85 and e < 0.08, sharpness=sharp, energy=e)
