"""Digits GAN with the usual linear decay, D's scheduler stepped per batch and G's per epoch."""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness", "mode_collapse"], "kind": "D's linear decay counted in batches: its rate is zero from step 225 on", "since": 225, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR
from sklearn.datasets import load_digits
torch.set_num_threads(1)
sn = nn.utils.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
X = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]

class LinearDecay:
    """1 up to `start`, then down to 0 at `end`"""
    def __init__(self, start, end):
        self.start, self.end = start, end
    def step(self, t):
        return 1.0 - min(1.0, max(0.0, t - self.start) / (self.end - self.start))

generator = nn.Sequential(nn.Linear(20, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
discriminator = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.2), nn.Flatten(), sn(nn.Linear(384, 128)), nn.LeakyReLU(.2), sn(nn.Linear(128, 1)))
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(.5, .999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=3e-3, betas=(.5, .999))
lr_scheduler_G = LambdaLR(optimizer_G, lr_lambda=LinearDecay(150, 225).step)
lr_scheduler_D = LambdaLR(optimizer_D, lr_lambda=LinearDecay(150, 225).step)
step = 0
for epoch in range(17):
    for idx in torch.randperm(len(X)).split(40)[:44]:
        x, z = X[idx], torch.randn(40, 20)
        fake = generator(z)
        optimizer_D.zero_grad()
        loss_D = F.mse_loss(discriminator(x), torch.ones(40, 1)) + F.mse_loss(discriminator(fake.detach()), torch.zeros(40, 1))
        loss_D.backward()
        optimizer_D.step()
        lr_scheduler_D.step()
        optimizer_G.zero_grad()
        loss_G = F.mse_loss(discriminator(fake), torch.ones(40, 1))
        loss_G.backward()
        optimizer_G.step()
        step += 1
    lr_scheduler_G.step()
    if epoch == 4:
        with torch.no_grad():
            at_220 = generator(torch.randn(1000, 20)).flatten(1)
with torch.no_grad():
    s = generator(torch.randn(1000, 20)).flatten(1)
r = X.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
en = lambda s: float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
e = en(s)
print(json.dumps({"outcome": {"energy_at_220": en(at_220), "energy": e, "steps": step}, "well": e < 0.08}))
