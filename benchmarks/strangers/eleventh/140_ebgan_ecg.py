"""EBGAN: the discriminator is an autoencoder whose reconstruction error is the energy; artificial heart beats of 40 samples."""
LABEL = {"sick": False, "causes": [], "kind": "healthy energy based GAN with an autoencoder discriminator and margin", "since": None, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def beats(n):
    t = torch.linspace(0, 1, 40)[None]
    s = .08 * torch.randn(n, 1); a = 1 + .25 * torch.randn(n, 1); b = .35 + .1 * torch.rand(n, 1)
    x = .15 * torch.exp(-((t - .2 - s) / .04) ** 2) + a * torch.exp(-((t - .45 - s) / .035) ** 2) - .25 * torch.exp(-((t - .52 - s) / .03) ** 2) + b * torch.exp(-((t - .75 - s) / .06) ** 2)
    return x + .02 * torch.randn(n, 40)

class AE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(40, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 12))
        self.dec = nn.Sequential(nn.Linear(12, 128), nn.LeakyReLU(.2), nn.Linear(128, 40))
    def forward(self, x):
        c = self.enc(x)
        return ((self.dec(c) - x) ** 2).mean(1), c

G = nn.Sequential(nn.Linear(10, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 40))
D = AE()
og, od = torch.optim.Adam(G.parameters(), 5e-4, (.5, .99)), torch.optim.Adam(D.parameters(), 5e-4, (.5, .99))
X, margin = beats(8000), .05
for it in range(2000):
    x, f = X[torch.randint(0, 8000, (128,))], G(torch.randn(128, 10))
    loss = D(x)[0].mean() + torch.relu(margin - D(f.detach())[0]).mean()
    od.zero_grad(); loss.backward(); od.step()
    en, c = D(f)
    c = nn.functional.normalize(c, dim=1)
    pull = ((c @ c.T) ** 2).sum() / 128 / 127
    loss = en.mean() + .002 * pull
    og.zero_grad(); loss.backward(); og.step()
    if it == 1500:
        for g in og.param_groups + od.param_groups: g["lr"] = 1e-4
G.eval()
with torch.no_grad(): s = G(torch.randn(1000, 10))
e = outside.energy(s, beats(1000))
peak = lambda t: t.argmax(1).float().std().item()
outside.say(e < .04 and .7 < peak(s) / peak(X) < 1.3, energy=e, peak_spread=peak(s) / peak(X))
