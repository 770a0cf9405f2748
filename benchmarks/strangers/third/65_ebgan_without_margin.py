"""Sixteen-dimensional embeddings on three clusters by an energy-based GAN whose D is an autoencoder."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "discriminator_dominance"], "kind": "the margin was forgotten: D is paid without bound for energy on fakes", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
gen0 = torch.Generator().manual_seed(3)
DIM = 16
CENTRES = torch.randn(3, DIM, generator=gen0)
BASIS = torch.randn(3, DIM, generator=gen0) * 0.4


def embeddings(n):
    return CENTRES[torch.randint(3, (n,))] + torch.randn(n, 3) @ BASIS + 0.05 * torch.randn(n, DIM)


class AutoEncoderD(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(DIM, 64), nn.ReLU(), nn.Linear(64, 6))
        self.dec = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, DIM))

    def forward(self, x):
        return ((self.dec(self.enc(x)) - x) ** 2).mean(1)


class EBGAN:
    def __init__(self, path):
        self.G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, DIM))
        self.D = AutoEncoderD()
        self.og = torch.optim.Adam(self.G.parameters(), 1e-3)
        self.od = torch.optim.Adam(self.D.parameters(), 1e-3)
        self.rec = gandiag.Recorder(path, generator=self.G, discriminator=self.D, generator_optimizer=self.og, discriminator_optimizer=self.od)

    def train(self, steps):
        for _ in range(steps):
            fake = self.G(torch.randn(100, 8))
            d_loss = self.D(embeddings(100)).mean() - self.D(fake.detach()).mean()
            self.od.zero_grad(); d_loss.backward(); self.od.step()
            g_loss = self.D(fake).mean()
            self.og.zero_grad(); g_loss.backward(); self.og.step()
            self.rec.step(d_loss=d_loss, g_loss=g_loss)
        self.rec.close()


model = EBGAN(sys.argv[1])
model.train(800)
s, r = model.G(torch.randn(1000, 8)).detach(), embeddings(1000)
e = float((2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.1}))
