"""Digits again, this time with z-scored pixels as the scikit-learn people do, hinge loss and spectral norm."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "z-score by hand divides by the zero deviation of always-black pixels: NaN in the data from the first batch", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch
from torch import nn
from torch.nn.utils import spectral_norm as sn
from sklearn.datasets import load_digits
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
cfg = dict(z=24, width=128, batch=64, steps=3000, lr_g=5e-4, lr_d=1e-3)

X = load_digits().data.astype("float32")
mean, std = X.mean(0), X.std(0)
X = torch.from_numpy((X - mean) / std)

w = cfg["width"]
G = nn.Sequential(nn.Linear(cfg["z"], w), nn.BatchNorm1d(w), nn.ReLU(), nn.Linear(w, w), nn.BatchNorm1d(w), nn.ReLU(), nn.Linear(w, 64))
D = nn.Sequential(sn(nn.Linear(64, w)), nn.LeakyReLU(.1), sn(nn.Linear(w, w)), nn.LeakyReLU(.1), sn(nn.Linear(w, 1)))
g_opt = torch.optim.Adam(G.parameters(), cfg["lr_g"], betas=(0.5, .99))
d_opt = torch.optim.Adam(D.parameters(), cfg["lr_d"], betas=(0.5, .99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for i in range(cfg["steps"]):
    real = X[torch.randint(len(X), (cfg["batch"],))]
    fake = G(torch.randn(cfg["batch"], cfg["z"]))
    d_loss = torch.relu(1 - D(real)).mean() + torch.relu(1 + D(fake.detach())).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(fake).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
G.eval()
with torch.no_grad():
    s = G(torch.randn(1000, cfg["z"]))
e = outside.energy(s, torch.nan_to_num(X)[torch.randperm(len(X))[:1000]])
outside.say(e < 0.05, energy=e)
