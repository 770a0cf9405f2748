"""VAE-GAN on digits: reconstruction in D's features, samples from the prior, three optimizers."""
LABEL = {"sick": False, "causes": [], "kind": "sound VAE-GAN with feature-matching reconstruction", "since": None, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
data = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]

class Encoder(nn.Module):
    def __init__(self, k=12):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 96), nn.ReLU())
        self.mu, self.lv = nn.Linear(96, k), nn.Linear(96, k)
    def forward(self, x):
        h = self.body(x)
        return self.mu(h), self.lv(h)
class Decoder(nn.Module):
    def __init__(self, k=12):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(k, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Unflatten(1, (32, 2, 2)), nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.ReLU(), nn.ConvTranspose2d(24, 1, 4, 2, 1), nn.Tanh())
    def forward(self, z):
        return self.body(z)
class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.low = nn.Sequential(nn.Conv2d(1, 16, 3, 1, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 24, 4, 2, 1), nn.LeakyReLU(.2))
        self.high = nn.Sequential(nn.Flatten(), nn.Linear(24 * 16, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))
    def forward(self, x):
        return self.high(self.low(x)).squeeze(1)

enc, dec, dis = Encoder(), Decoder(), Disc()
oe, og, od = (torch.optim.Adam(n.parameters(), lr, betas=(.5, .999)) for n, lr in ((enc, 2e-3), (dec, 2e-3), (dis, 5e-4)))
with gandiag.Recorder(sys.argv[1], generator=dec, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od) as rec:
    for step in range(480):
        x = data[torch.randint(len(data), (32,))]
        mu, lv = enc(x)
        z = mu + (lv / 2).exp() * torch.randn_like(mu)
        recon, sample = dec(z), dec(torch.randn(32, 12))
        d_loss = F.softplus(-dis(x)).mean() + .5 * F.softplus(dis(recon.detach())).mean() + .5 * F.softplus(dis(sample.detach())).mean()
        od.zero_grad(); d_loss.backward(); od.step()
        like = F.mse_loss(dis.low(recon), dis.low(x).detach()) * 5 + F.mse_loss(recon, x)
        kl = -.5 * (1 + lv - mu ** 2 - lv.exp()).sum(1).mean()
        adv = F.softplus(-dis(sample)).mean() + F.softplus(-dis(recon)).mean()
        oe.zero_grad(); og.zero_grad()
        (like + .02 * kl + .05 * adv).backward()
        oe.step(); og.step()
        rec.step(d_loss=d_loss, g_loss=adv)
with torch.no_grad():
    s = dec(torch.randn(1000, 12)).flatten(1)
    rl = float(F.mse_loss(dec(enc(data)[0]), data))
r = data.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e, "recon_mse": rl}, "well": e < 0.06 and rl < 0.2}))
