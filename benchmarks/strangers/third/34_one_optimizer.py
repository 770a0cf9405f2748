"""VAE-GAN-like training on digits with one Adam over both networks and the sum of the losses."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "one loss d + g, one optimizer for both players", "since": 0, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
X = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]

class Model(nn.Module):
    def __init__(self, k=16):
        super().__init__()
        self.k = k
        self.decoder = nn.Sequential(nn.Linear(k, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
        self.judge = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(256, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
    def losses(self, x):
        fake = self.decoder(torch.randn(len(x), self.k))
        d_loss = F.softplus(-self.judge(x)).mean() + F.softplus(self.judge(fake)).mean()
        g_loss = F.softplus(-self.judge(fake)).mean()
        return d_loss, g_loss

model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(.5, .999))
rec = gandiag.Recorder(sys.argv[1], generator=model.decoder, discriminator=model.judge, generator_optimizer=optimizer, discriminator_optimizer=optimizer)
for it in range(350):
    d_loss, g_loss = model.losses(X[torch.randint(len(X), (40,))])
    optimizer.zero_grad()
    (d_loss + g_loss).backward()
    optimizer.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad():
    s = model.decoder(torch.randn(1000, 16)).flatten(1)
r = X.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
