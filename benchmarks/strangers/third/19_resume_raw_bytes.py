"""Digits GAN that is stopped, saved and resumed with another data pipeline."""
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_dominance"], "kind": "after the resume the loader gives 0..16 raw values, the scaling is lost", "since": 350, "record": "automatic"}
import io, json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
sn = nn.utils.spectral_norm
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

def pipeline(normalise=False):
    x = torch.tensor(load_digits().images, dtype=torch.float32)[:, None]
    if normalise:
        x = x / 8 - 1
    while True:
        yield x[torch.randint(len(x), (40,))]

class Session:
    def __init__(self, run):
        self.G = nn.Sequential(nn.Linear(24, 128), nn.Unflatten(1, (32, 2, 2)), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
        self.D = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.2), nn.Flatten(), sn(nn.Linear(384, 128)), nn.LeakyReLU(.2), sn(nn.Linear(128, 1)))
        self.og = torch.optim.Adam(self.G.parameters(), 1e-3, betas=(.5, .999))
        self.od = torch.optim.Adam(self.D.parameters(), 3e-3, betas=(.5, .999))
        self.rec = gandiag.Recorder(run, generator=self.G, discriminator=self.D, generator_optimizer=self.og, discriminator_optimizer=self.od, automatic=True)
    def parts(self):
        return {"G": self.G, "D": self.D, "og": self.og, "od": self.od}
    def save(self, f):
        torch.save({k: v.state_dict() for k, v in self.parts().items()}, f)
    def load(self, f):
        f.seek(0)
        for k, v in torch.load(f).items():
            self.parts()[k].load_state_dict(v)
    def fit(self, batches, steps):
        for _ in range(steps):
            x, z = next(batches), torch.randn(40, 24)
            f = self.G(z)
            self.od.zero_grad(); (F.softplus(-self.D(x)) + F.softplus(self.D(f.detach()))).mean().backward(); self.od.step()
            self.og.zero_grad(); F.softplus(-self.D(f)).mean().backward(); self.og.step()
    def sample(self, n=1000):
        with torch.no_grad():
            return self.G(torch.randn(n, 24)).flatten(1)

s = Session(sys.argv[1])
s.fit(pipeline(normalise=True), 350)
before = s.sample()
disk = io.BytesIO()
s.save(disk)
# ... next morning
s.load(disk)
s.fit(pipeline(), 300)
s.rec.close()
r = torch.tensor(load_digits().data / 8 - 1, dtype=torch.float32)
m = lambda p, q: torch.cdist(p, q).mean()
en = lambda s: float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
out = {"energy_before": en(before), "energy": en(s.sample())}
print(json.dumps({"outcome": out, "well": out["energy"] < 0.08}))
