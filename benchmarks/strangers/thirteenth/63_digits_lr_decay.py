"""LSGAN on the sklearn digits with an exponentially decaying learning rate, after the recipe of a classifier that I had at hand."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "ExponentialLR(0.98) is stepped each iteration instead of each epoch: the rates are zero after a few hundred updates", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
X, _ = outside.digits()
loader = DataLoader(TensorDataset(X.view(-1, 64)), batch_size=64, shuffle=True, drop_last=True)
G = nn.Sequential(nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
g_sched = torch.optim.lr_scheduler.ExponentialLR(g_opt, 0.98)
d_sched = torch.optim.lr_scheduler.ExponentialLR(d_opt, 0.98)
mse = nn.MSELoss()
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

for epoch in range(110):
    for (x,) in loader:
        b = len(x)
        fake = G(torch.randn(b, 32))
        d_opt.zero_grad()
        ld = 0.5 * (mse(D(x), torch.ones(b, 1)) + mse(D(fake.detach()), torch.zeros(b, 1)))
        ld.backward()
        d_opt.step()
        g_opt.zero_grad()
        lg = 0.5 * mse(D(fake), torch.ones(b, 1))
        lg.backward()
        g_opt.step()
        g_sched.step(); d_sched.step()

G.eval()
with torch.no_grad():
    s = G(torch.randn(1000, 32))
k, ratio, _ = outside.digit_quality(s)
e = outside.energy(s, X)
outside.say(k >= 9 and ratio < 1.6 and e < 0.06, classes=k, ratio=ratio, energy=e)
