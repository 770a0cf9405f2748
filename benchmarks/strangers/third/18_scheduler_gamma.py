"""DCGAN on digits with a StepLR on both optimizers."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse"], "kind": "StepLR with gamma=10 in place of 0.1, first and second fall", "since": 300, "record": "attach"}
import json, os
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR
from sklearn.datasets import load_digits
torch.set_num_threads(1)
sn = nn.utils.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
X = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]

class Net(nn.Module):
    pass
class Generator(Net):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(24, 128)
        self.up = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1))
    def forward(self, z):
        return torch.tanh(self.up(self.project(z).view(-1, 32, 2, 2)))
class Discriminator(Net):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.2), nn.Flatten(), sn(nn.Linear(384, 128)), nn.LeakyReLU(.2), sn(nn.Linear(128, 1)))
    def forward(self, x):
        return self.body(x)

generator, discriminator = Generator(), Discriminator()
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(.5, .999))
opt_d = torch.optim.Adam(discriminator.parameters(), lr=3e-3, betas=(.5, .999))
sched_g, sched_d = StepLR(opt_g, step_size=300, gamma=10), StepLR(opt_d, step_size=300, gamma=10)
loss_fn = nn.BCEWithLogitsLoss()
for step in range(700):
    x = X[torch.randint(len(X), (40,))]
    fake = generator(torch.randn(40, 24))
    loss_d = (loss_fn(discriminator(x), torch.ones(40, 1)) + loss_fn(discriminator(fake.detach()), torch.zeros(40, 1))) / 2
    opt_d.zero_grad(); loss_d.backward(); opt_d.step()
    loss_g = loss_fn(discriminator(fake), torch.ones(40, 1))
    opt_g.zero_grad(); loss_g.backward(); opt_g.step()
    sched_g.step(); sched_d.step()
    if step == 299:
        with torch.no_grad():
            before = generator(torch.randn(1000, 24)).flatten(1)
with torch.no_grad():
    s = generator(torch.randn(1000, 24)).flatten(1)
r = X.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
en = lambda s: float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy_at_300": en(before), "energy": en(s)}, "well": en(s) < 0.08}))
