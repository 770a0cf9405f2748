"""200 digits only, with DiffAugment (shift, brightness) on reals and fakes spectral norm and dropout in D."""
LABEL = {"sick": False, "causes": [], "kind": "sound low-data GAN with differentiable augmentation", "since": None, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
sn = nn.utils.parametrizations.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
everything = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]
perm = torch.randperm(len(everything))
few, rest = everything[perm[:200]], everything[perm[200:]]

def diff_augment(x):
    x = x + 0.4 * (torch.rand(len(x), 1, 1, 1) - .5)
    dy, dx = torch.randint(-1, 2, (2,)).tolist()
    x = F.pad(x, (1, 1, 1, 1), value=-1.0)
    return x[:, :, 1 + dy:9 + dy, 1 + dx:9 + dx]

G = nn.Sequential(nn.Linear(20, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.2), nn.Flatten(), sn(nn.Linear(384, 128)), nn.LeakyReLU(.2), nn.Dropout(.2), sn(nn.Linear(128, 1)))
opts = torch.optim.Adam(G.parameters(), 1e-3, (.5, .99)), torch.optim.Adam(D.parameters(), 3e-3, (.5, .99))
for it in range(750):
    real, z = few[torch.randint(200, (40,))], torch.randn(40, 20)
    fake = G(z)
    loss = F.relu(1 - D(diff_augment(real))).mean() + F.relu(1 + D(diff_augment(fake.detach()))).mean()
    opts[1].zero_grad(); loss.backward(); opts[1].step()
    loss = -D(diff_augment(fake)).mean()
    opts[0].zero_grad(); loss.backward(); opts[0].step()
with torch.no_grad():
    s = G(torch.randn(1000, 20)).flatten(1)
r, t = rest.flatten(1), few.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
ratio = float(torch.cdist(s, t).min(1)[0].mean() / torch.cdist(r, t).min(1)[0].mean())
print(json.dumps({"outcome": {"energy_to_held_out": e, "nn_ratio": ratio}, "well": e < 0.1 and ratio > 0.7}))
