"""Digits GAN with EMA whose weights are copied back into G each time the samples are drawn."""
LABEL = {"sick": True, "causes": ["stagnation", "learning_rate", "discriminator_dominance"], "kind": "EMA (0.999) loaded into G every 5 steps and never taken out: G hardly moves", "since": 0, "record": "lines"}
import copy, json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

class EMA:
    def __init__(self, model, decay):
        self.model, self.decay = model, decay
        self.shadow = copy.deepcopy(model.state_dict())
    @torch.no_grad()
    def update(self):
        for k, v in self.model.state_dict().items():
            self.shadow[k] = self.shadow[k] * self.decay + v * (1 - self.decay) if v.is_floating_point() else v.clone()
    def apply_shadow(self):
        self.backup = copy.deepcopy(self.model.state_dict())
        self.model.load_state_dict(self.shadow)
    def restore(self):
        self.model.load_state_dict(self.backup)

X = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]
netG = nn.Sequential(nn.Linear(24, 128), nn.Unflatten(1, (32, 2, 2)), nn.BatchNorm2d(32), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 3, 1, 1), nn.Tanh())
netD = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(128, 1))
og = torch.optim.Adam(netG.parameters(), lr=2e-3, betas=(.5, .999)); od = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(.5, .999))
ema = EMA(netG, 0.999)
fixed = torch.randn(16, 24)
recorder = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=og, discriminator_optimizer=od)
for step in range(220):
    x = X[torch.randint(len(X), (32,))]
    fake = netG(torch.randn(32, 24))
    errD = F.softplus(-netD(x)).mean() + F.softplus(netD(fake.detach())).mean()
    od.zero_grad(); errD.backward(); od.step()
    errG = F.softplus(-netD(fake)).mean()
    og.zero_grad(); errG.backward(); og.step()
    ema.update()
    if step % 5 == 0:
        ema.apply_shadow()
        with torch.no_grad():
            grid = netG(fixed)
    recorder.step(d_loss=errD, g_loss=errG)
recorder.close()
with torch.no_grad():
    s = netG(torch.randn(1000, 24)).flatten(1)
r = X.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
