"""Unpaired translation between chalk drawings (light on dark) and ink drawings (dark on light)."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "the identity loss compares the translation of a with a itself (wrong domain), so it outweighs the game and nothing is translated", "since": 0, "record": "attach"}
import os, random, itertools
from types import SimpleNamespace
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

opt = SimpleNamespace(n_iters=1300, batch=32, lr=4e-4, beta1=0.5, lambda_cyc=5.0, lambda_idt=2.5, width=96, pool=300)


def draw(n):
    """a box, a plus or a bar somewhere on an 8x8 page, 1 = stroke"""
    page = np.zeros((n, 8, 8), "float32")
    for p in page:
        r, c, s = np.random.randint(0, 4), np.random.randint(0, 4), np.random.randint(3, 5)
        kind = np.random.randint(3)
        if kind == 0:
            p[r:r + s, c:c + s] = 1; p[r + 1:r + s - 1, c + 1:c + s - 1] = 0
        elif kind == 1:
            p[r + s // 2, c:c + s] = 1; p[r:r + s, c + s // 2] = 1
        else:
            p[r:r + s, c:c + 2] = 1
    return page * np.random.uniform(0.7, 1.0, (n, 1, 1)).astype("float32")


def chalk(n):
    return torch.from_numpy(draw(n) * 1.7 - 0.9 + 0.03 * np.random.randn(n, 8, 8).astype("float32"))


def ink(n):
    return torch.from_numpy(0.9 - draw(n) * 1.7 + 0.03 * np.random.randn(n, 8, 8).astype("float32"))


class Translator(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU(), nn.Linear(w, 64))

    def forward(self, x):
        return self.net(x.flatten(1)).tanh().view_as(x)


def critic(w):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, w), nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2), nn.Linear(w, 1))


class ImagePool:
    def __init__(self, size):
        self.size, self.items = size, []

    def query(self, batch):
        out = []
        for im in batch.detach():
            if len(self.items) < self.size:
                self.items.append(im); out.append(im)
            elif random.random() < 0.5:
                j = random.randrange(self.size)
                out.append(self.items[j]); self.items[j] = im
            else:
                out.append(im)
        return torch.stack(out)


def adv(logits, real):
    return F.mse_loss(logits, torch.full_like(logits, float(real)))


bank_a, bank_b = chalk(3000), ink(3000)
netG_A, netG_B = Translator(opt.width), Translator(opt.width)       # A -> B, B -> A
netD_A, netD_B = critic(opt.width), critic(opt.width)               # judges of A and of B
optimizer_G = torch.optim.Adam(itertools.chain(netG_A.parameters(), netG_B.parameters()), lr=opt.lr, betas=(opt.beta1, 0.999))
optimizer_D = torch.optim.Adam(itertools.chain(netD_A.parameters(), netD_B.parameters()), lr=opt.lr, betas=(opt.beta1, 0.999))
pool_a, pool_b = ImagePool(opt.pool), ImagePool(opt.pool)

for it in range(opt.n_iters):
    a = bank_a[torch.randint(0, 3000, (opt.batch,))]
    b = bank_b[torch.randint(0, 3000, (opt.batch,))]

    # generators
    fake_b, fake_a = netG_A(a), netG_B(b)
    loss_gan = adv(netD_B(fake_b), 1) + adv(netD_A(fake_a), 1)
    loss_cyc = F.l1_loss(netG_B(fake_b), a) + F.l1_loss(netG_A(fake_a), b)
    idt_a, idt_b = netG_A(a), netG_B(b)
    loss_idt = F.l1_loss(idt_a, a) + F.l1_loss(idt_b, b)
    loss_G = loss_gan + opt.lambda_cyc * loss_cyc + opt.lambda_idt * loss_idt
    optimizer_G.zero_grad(); loss_G.backward(); optimizer_G.step()

    # discriminators
    loss_D = 0.5 * (adv(netD_B(b), 1) + adv(netD_B(pool_b.query(fake_b)), 0)
                    + adv(netD_A(a), 1) + adv(netD_A(pool_a.query(fake_a)), 0))
    optimizer_D.zero_grad(); loss_D.backward(); optimizer_D.step()
    if it % 300 == 0:
        print(f"it {it}  gan {loss_gan.item():.3f}  cyc {loss_cyc.item():.3f}  idt {loss_idt.item():.3f}  D {loss_D.item():.3f}")

with torch.no_grad():
    to_ink, to_chalk = netG_A(chalk(1000)), netG_B(ink(1000))
e_b, e_a = outside.energy(to_ink, ink(1000)), outside.energy(to_chalk, chalk(1000))
outside.say(max(e_a, e_b) < 0.1, energy_to_ink=e_b, energy_to_chalk=e_a)
