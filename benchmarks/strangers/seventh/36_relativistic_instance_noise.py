"""Relativistic average GAN with decaying instance noise, small vision transformer-like discriminator."""
import os, sys, random
import numpy as np
import torch
from torch import nn
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "instance noise that decays to nothing and a patch-attention D: D starts blind (loss at chance), its edge only grows later", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


class PatchTransformer(nn.Module):
    """2x2 patches -> tokens -> one attention layer -> a score"""
    def __init__(self, dim=48):
        super().__init__()
        self.tok = nn.Conv2d(1, dim, 2, 2)
        self.pos = nn.Parameter(0.02 * torch.randn(16, dim))
        self.att = nn.MultiheadAttention(dim, 4, batch_first=True)
        self.n1 = nn.LayerNorm(dim)
        self.ff = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(16 * dim, 96), nn.GELU(), nn.Linear(96, 1))

    def forward(self, img):
        t = self.tok(img).flatten(2).transpose(1, 2) + self.pos
        q = self.n1(t)
        t = t + self.att(q, q, q, need_weights=False)[0]
        return self.head(t + self.ff(t))


gen = nn.Sequential(nn.Linear(24, 256), nn.BatchNorm1d(256), nn.SiLU(), nn.Linear(256, 32 * 16), nn.BatchNorm1d(512), nn.SiLU(),
                    nn.Unflatten(1, (32, 4, 4)), nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.SiLU(), nn.Conv2d(24, 1, 3, 1, 1), nn.Tanh())
dis = PatchTransformer()
opt_gen = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.99))
opt_dis = torch.optim.Adam(dis.parameters(), lr=5e-4, betas=(0.5, 0.99))
data, _ = outside.digits()
STEPS = 450
bce = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=opt_gen, discriminator_optimizer=opt_dis)
for step in range(STEPS):
    sigma = 0.8 * max(0.0, 1 - step / (0.6 * STEPS))
    real = data[torch.randint(len(data), (64,))]
    fake = gen(torch.randn(64, 24))
    nr, nf = sigma * torch.randn_like(real), sigma * torch.randn_like(real)

    r, f = dis(real + nr), dis(fake.detach() + nf)
    d_loss = (bce(r - f.mean(), torch.ones_like(r)) + bce(f - r.mean(), torch.zeros_like(f))) / 2
    opt_dis.zero_grad()
    d_loss.backward()
    opt_dis.step()

    r2, f2 = dis(real + nr).detach(), dis(fake + nf)
    g_loss = (bce(f2 - r2.mean(), torch.ones_like(f2)) + bce(r2 - f2.mean(), torch.zeros_like(r2))) / 2
    opt_gen.zero_grad()
    g_loss.backward()
    opt_gen.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
rec.close()

gen.eval()
with torch.no_grad():
    s = gen(torch.randn(1000, 24))
c, r, _ = outside.digit_quality(s)
e = outside.energy(s, data[torch.randperm(len(data))])
outside.say(e < 0.12 and c >= 8, energy=e, classes=c, ratio=r)
