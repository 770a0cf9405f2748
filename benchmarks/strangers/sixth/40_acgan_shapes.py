"""AC-GAN on coloured shapes (RGB, 12x12, four classes, any place, any colour)."""
import os, sys
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["mode_collapse", "objective_fault", "mode_dropping"], "since": 0, "record": "lines",
         "kind": "the classifier's part weighs 200 times the adversarial part: one picture a class, whatever the noise"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
CFG = {"nz": 16, "batch": 32, "iters": 900, "lr": 8e-4, "lambda_cls": 200.0}
yy, xx = torch.meshgrid(torch.arange(12.), torch.arange(12.), indexing="ij")


def shapes(n):
    y = torch.randint(0, 4, (n,))
    cx, cy = 3.5 + 5 * torch.rand(n, 1, 1), 3.5 + 5 * torch.rand(n, 1, 1)
    dx, dy = (xx - cx).abs(), (yy - cy).abs()
    square = (torch.maximum(dx, dy) < 2.6).float()
    cross = ((torch.minimum(dx, dy) < 1.0) & (torch.maximum(dx, dy) < 3.4)).float()
    disc = (dx ** 2 + dy ** 2 < 3.2 ** 2).float()
    hollow = square - (torch.maximum(dx, dy) < 1.4).float()
    mask = torch.stack([square, cross, disc, hollow], 1)[torch.arange(n), y][:, None]
    colour = torch.rand(n, 3, 1, 1) * 0.9 + 0.1
    return mask * (colour + 1) - 1, y


class G_(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(4, 12)
        self.n = nn.Sequential(nn.Linear(CFG["nz"] + 12, 48 * 9), nn.BatchNorm1d(432), nn.ReLU(), nn.Unflatten(1, (48, 3, 3)),
                               nn.ConvTranspose2d(48, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
                               nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z, y):
        return self.n(torch.cat([z, self.e(y)], 1))


class D_(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2),
                                  nn.Flatten(), nn.Linear(432, 96), nn.LeakyReLU(0.2))
        self.adv, self.cls = nn.Linear(96, 1), nn.Linear(96, 4)

    def forward(self, x):
        h = self.body(x)
        return self.adv(h)[:, 0], self.cls(h)


G, D = G_(), D_()
og = torch.optim.Adam(G.parameters(), CFG["lr"], betas=(0.5, 0.999))
od = torch.optim.Adam(D.parameters(), CFG["lr"], betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for it in range(CFG["iters"]):
    x, y = shapes(CFG["batch"])
    yf = torch.randint(0, 4, (CFG["batch"],))
    fake = G(torch.randn(CFG["batch"], CFG["nz"]), yf)
    (ar, cr), (af, _) = D(x), D(fake.detach())
    d_loss = F.softplus(-ar).mean() + F.softplus(af).mean() + CFG["lambda_cls"] * F.cross_entropy(cr, y)
    od.zero_grad(); d_loss.backward(); od.step()
    ag, cg = D(fake)
    g_loss = F.softplus(-ag).mean() + CFG["lambda_cls"] * F.cross_entropy(cg, yf)
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=ar, fake_logits=af)
rec.close()

G.eval()
with torch.no_grad():
    s = G(torch.randn(800, CFG["nz"]), torch.arange(4).repeat(200))
r, _ = shapes(800)
mask = (s.mean(1) > -0.4).float()
area = mask.sum((1, 2)).clamp(min=1)
sx, sy = (mask * xx).sum((1, 2)) / area, (mask * yy).sum((1, 2)) / area
rm = (r.mean(1) > -0.4).float()
ra = rm.sum((1, 2)).clamp(min=1)
place = float((sx.std() + sy.std()) / (((rm * xx).sum((1, 2)) / ra).std() + ((rm * yy).sum((1, 2)) / ra).std()))
e = outside.energy(s, r)
outside.say(e < 0.12 and 0.55 < place < 1.4, energy=e, places=place)
