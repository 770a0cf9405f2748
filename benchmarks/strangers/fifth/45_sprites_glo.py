"""Sprites, 12x12: the generator first learns a table of latent codes (GLO), then plays with feature matching."""
LABEL = {"sick": False, "causes": [], "kind": "well: generator pre-trained by optimised latents, then feature matching beside the adversarial loss", "since": None, "record": "automatic"}
import os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def sprites(n, s=12):
    half = (torch.rand(n, s, s // 2) * 0).float()
    i = torch.arange(s).float()
    head = 2 + 2 * torch.rand(n, 1, 1)
    y, x = i.view(1, s, 1), torch.arange(s // 2).float().view(1, 1, s // 2)
    half = torch.maximum(half, torch.sigmoid(3 * (head - ((y - 3.5) ** 2 + (5.5 - x) ** 2).sqrt())))
    wide = 1 + 4 * torch.rand(n, 1, 1)
    half = torch.maximum(half, torch.sigmoid(3 * (wide - (5.5 - x))) * torch.sigmoid(3 * (y - 6.5)))
    img = torch.cat([half, half.flip(2)], 2)
    return (img * 2 - 1).unsqueeze(1)

class Painter(nn.Module):
    def __init__(self, nz=8):
        super().__init__()
        self.nz = nz
        self.body = nn.Sequential(nn.Linear(nz, 48 * 9), nn.GELU(), nn.Unflatten(1, (48, 3, 3)), nn.Upsample(scale_factor=2), nn.Conv2d(48, 32, 3, 1, 1), nn.GELU(), nn.Upsample(scale_factor=2), nn.Conv2d(32, 1, 3, 1, 1), nn.Tanh())
    def forward(self, z): return self.body(z)

class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(48 * 9, 64), nn.LeakyReLU(0.2))
        self.last = nn.Linear(64, 1)
    def forward(self, x, with_features=False):
        h = self.features(x)
        return (self.last(h), h) if with_features else self.last(h)

gallery = sprites(1024)
painter, judge = Painter(), Judge()
opt_p = torch.optim.Adam(painter.parameters(), 1e-3, betas=(0.5, 0.99))
opt_j = torch.optim.Adam(judge.parameters(), 4e-4, betas=(0.5, 0.99))

def learn_table(steps=300, bs=32):
    table = nn.Embedding(len(gallery), painter.nz)
    nn.init.normal_(table.weight)
    opt_t = torch.optim.Adam(table.parameters(), 2e-2)
    for _ in range(steps):
        idx = torch.randint(len(gallery), (bs,))
        z = table(idx)
        loss = F.l1_loss(painter(z), gallery[idx]) + 0.01 * (z.mean(0).pow(2).sum() + (z.var(0) - 1).pow(2).sum())
        opt_p.zero_grad(); opt_t.zero_grad()
        loss.backward()
        opt_p.step(); opt_t.step()

def play(steps=500, bs=32):
    for _ in range(steps):
        real = gallery[torch.randint(len(gallery), (bs,))]
        fake = painter(torch.randn(bs, painter.nz))
        dr, df = judge(real), judge(fake.detach())
        loss_j = F.relu(1 - dr).mean() + F.relu(1 + df).mean()
        opt_j.zero_grad(); loss_j.backward(); opt_j.step()
        score, h = judge(fake, with_features=True)
        with torch.no_grad():
            _, target = judge(real, with_features=True)
        loss_p = -0.5 * score.mean() + 2 * (h.mean(0) - target.mean(0)).pow(2).mean()
        opt_p.zero_grad(); loss_p.backward(); opt_p.step()

with gandiag.Recorder(sys.argv[1], generator=painter, discriminator=judge, generator_optimizer=opt_p, discriminator_optimizer=opt_j, automatic=True):
    learn_table()
    play()

with torch.no_grad():
    s = painter(torch.randn(800, painter.nz))
e = outside.energy(s, sprites(800))
outside.say(e < 0.04, energy=e)
