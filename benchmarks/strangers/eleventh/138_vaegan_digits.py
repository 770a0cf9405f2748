"""VAE-GAN hybrid on digits: encoder and decoder with KL and reconstruction, discriminator on decoded prior samples and reconstructions."""
LABEL = {"sick": False, "causes": [], "kind": "healthy VAE-GAN with a generator that shares three losses", "since": None, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

class Enc(nn.Module):
    def __init__(self, nz=16):
        super().__init__()
        self.h = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(.2), nn.Linear(192, 192), nn.LeakyReLU(.2))
        self.mu, self.lv = nn.Linear(192, nz), nn.Linear(192, nz)
    def forward(self, x):
        h = self.h(x)
        mu, lv = self.mu(h), self.lv(h).clamp(-8, 4)
        return mu + torch.randn_like(mu) * (lv / 2).exp(), (-.5 * (1 + lv - mu ** 2 - lv.exp())).sum(1).mean()
dec = nn.Sequential(nn.Linear(16, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh())
dis = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(.2), nn.Dropout(.3), nn.Linear(192, 192), nn.LeakyReLU(.2), nn.Dropout(.3), nn.Linear(192, 1))
enc = Enc()
o_vae = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=6e-4, betas=(.5, .99))
o_dis = torch.optim.Adam(dis.parameters(), lr=4e-4, betas=(.5, .99))
X = outside.digits()[0].flatten(1)
for step in range(1700):
    x = X[torch.randint(0, len(X), (64,))]
    z, kl = enc(x)
    rec = dec(z)
    gen = dec(torch.randn(64, 16))
    d = F.softplus(-dis(x)).mean() + .5 * F.softplus(dis(gen.detach())).mean() + .5 * F.softplus(dis(rec.detach())).mean()
    o_dis.zero_grad(); d.backward(); o_dis.step()
    adv = F.softplus(-dis(gen)).mean() + .3 * F.softplus(-dis(rec)).mean()
    loss = ((rec - x) ** 2).sum(1).mean() * .1 + .1 * kl + adv
    o_vae.zero_grad(); loss.backward(); o_vae.step()
dec.eval()
with torch.no_grad(): s = dec(torch.randn(1000, 16))
cl, q, _ = outside.digit_quality(s)
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(cl == 10 and q < 1.35 and e < .05, classes=cl, distance=q, energy=e)
