"""Self-attention GAN on 8x8 digits (SAGAN style block in the middle of both nets)."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "the generator's loss asks D for the label 'fake' (0): G helps D instead of fooling it",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED), np.random.seed(SEED), torch.manual_seed(SEED)
torch.set_num_threads(1)

REAL, FAKE = 1., 0.


class SelfAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.q, self.k, self.v = nn.Conv2d(c, c // 4, 1), nn.Conv2d(c, c // 4, 1), nn.Conv2d(c, c, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = (f(x).flatten(2) for f in (self.q, self.k, self.v))
        att = torch.softmax(q.transpose(1, 2) @ k, dim=-1)
        return x + self.gamma * (v @ att.transpose(1, 2)).view(b, c, h, w)


def make_G(z=20):
    return nn.Sequential(nn.Linear(z, 40 * 16), nn.LayerNorm(640), nn.ReLU(), nn.Unflatten(1, (40, 4, 4)),
                         nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(40, 32, 3, padding=1), nn.GroupNorm(4, 32), nn.ReLU(),
                         SelfAttention(32), nn.Conv2d(32, 1, 3, padding=1), nn.Tanh())


def make_D():
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.LeakyReLU(0.2), SelfAttention(32),
                         nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(1024, 1))


class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, pred, target):
        return self.bce(pred, torch.full_like(pred, target))


G, D = make_G(), make_D()
opt = {"G": torch.optim.AdamW(G.parameters(), lr=1e-3, betas=(0.5, 0.99)),
       "D": torch.optim.AdamW(D.parameters(), lr=5e-4, betas=(0.5, 0.99))}
loss = Loss()
x, _ = outside.digits()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt["G"], discriminator_optimizer=opt["D"])
for it in range(400):
    real = x[torch.randint(len(x), (50,))]
    fake = G(torch.randn(50, 20))

    for p in D.parameters():
        p.requires_grad_(True)
    opt["D"].zero_grad()
    out_r, out_f = D(real), D(fake.detach())
    loss_d = loss(out_r, REAL) + loss(out_f, FAKE)
    loss_d.backward()
    opt["D"].step()

    for p in D.parameters():
        p.requires_grad_(False)
    opt["G"].zero_grad()
    loss_g = loss(D(fake), FAKE)
    loss_g.backward()
    opt["G"].step()
    rec.step(d_loss=loss_d, g_loss=loss_g, real_logits=out_r, fake_logits=out_f)
rec.close()

G.eval()
with torch.no_grad():
    s = G(torch.randn(1000, 20))
c, r, _ = outside.digit_quality(s)
e = outside.energy(s, x[torch.randperm(len(x))])
outside.say(e < 0.12 and c >= 7, energy=e, classes=c, ratio=r)
