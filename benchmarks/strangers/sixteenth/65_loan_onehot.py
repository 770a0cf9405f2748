'''Synthetic loan book (purpose, grade, defaulted, one-hot with Gumbel softmax) with PacGAN-4 and a hinge loss; defaults are rare.'''
LABEL = {"sick": False, "causes": [], "kind": "one-hot outputs from a hard straight-through Gumbel softmax, a class of 4 percent, packed discriminator on four rows at once, temperature annealed", "since": None, "record": "attach"}
import os
import numpy as np, pandas as pd
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
import outside

SEED = int(os.environ.get('SEED', '0'))
torch.manual_seed(SEED); torch.set_num_threads(1)
SIZES = [5, 4, 2]                       # purpose, grade, default
PAC = 4


def make_table(n, seed):
    r = np.random.default_rng(seed)
    purpose = r.choice(5, n, p=[.42, .25, .17, .10, .06])
    gp = np.array([[.5, .3, .15, .05], [.3, .4, .2, .1], [.2, .3, .3, .2], [.1, .2, .4, .3], [.25, .25, .25, .25]])
    grade = np.array([r.choice(4, p=gp[p]) for p in purpose])
    default = (r.random(n) < np.array([.005, .02, .07, .16])[grade]).astype(int)
    return pd.DataFrame(dict(purpose=purpose, grade=grade, default=default))


def encode(df):
    return torch.cat([F.one_hot(torch.tensor(df[c].values), k).float() for c, k in zip(df.columns, SIZES)], 1)


class TableGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 64), nn.LayerNorm(64), nn.GELU())
        self.out = nn.ModuleList([nn.Linear(64, k) for k in SIZES])
        self.tau = 1.0

    def forward(self, z):
        h = self.net(z)
        return torch.cat([F.gumbel_softmax(o(h), tau=self.tau, hard=True) for o in self.out], 1)


class PacDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        sn = nn.utils.parametrizations.spectral_norm
        self.net = nn.Sequential(sn(nn.Linear(11 * PAC, 128)), nn.LeakyReLU(.2), sn(nn.Linear(128, 128)), nn.LeakyReLU(.2), sn(nn.Linear(128, 1)))

    def forward(self, x):
        return self.net(x.reshape(-1, 11 * PAC))


table = make_table(8000, 50 + SEED)
loader = DataLoader(TensorDataset(encode(table)), batch_size=256, shuffle=True, drop_last=True)
G, D = TableGenerator(), PacDiscriminator()
opt_G = torch.optim.AdamW(G.parameters(), lr=5e-4, betas=(0., .9), weight_decay=1e-4)
opt_D = torch.optim.AdamW(D.parameters(), lr=1e-3, betas=(0., .9), weight_decay=1e-4)
ema = torch.optim.swa_utils.AveragedModel(G, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(.995))

EPOCHS = 55
for epoch in range(EPOCHS):
    G.tau = max(.5, 1.0 - .6 * epoch / EPOCHS)
    if epoch in (30, 45):
        for o in (opt_G, opt_D):
            for g in o.param_groups: g['lr'] *= .4
    for (rows,) in loader:
        fake = G(torch.randn(256, 16))
        loss_D = F.relu(1 - D(rows)).mean() + F.relu(1 + D(fake.detach())).mean()
        opt_D.zero_grad(set_to_none=True); loss_D.backward(); opt_D.step()
        loss_G = -D(G(torch.randn(256, 16))).mean()
        opt_G.zero_grad(set_to_none=True); loss_G.backward(); opt_G.step()
        ema.update_parameters(G)
    if epoch % 10 == 0:
        print('epoch', epoch, 'D', loss_D.item(), 'G', loss_G.item())

with torch.no_grad():
    s = ema(torch.randn(20000, 16))
p, g, d = [c.argmax(1).numpy() for c in s.split(SIZES, 1)]
joint = np.bincount(p * 8 + g * 2 + d, minlength=40) / 20000
t = make_table(40000, 9)
law = np.bincount(t.purpose * 8 + t.grade * 2 + t.default, minlength=40) / 40000
tv = np.abs(joint - law).sum() / 2
outside.say(tv < .12 and abs(d.mean() / t.default.mean() - 1) < .4, total_variation=tv, default_rate=float(d.mean()), true_rate=float(t.default.mean()))
