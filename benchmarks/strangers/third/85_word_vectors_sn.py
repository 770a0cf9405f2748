"""Word-vector-like unit vectors in 24 dimensions, hinge loss with spectral normalisation."""
LABEL = {"sick": False, "causes": [], "kind": "sound: spectral norm, normalised outputs, four times as fast a D", "since": None, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as SN

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
topics = torch.randn(6, 24, generator=torch.Generator().manual_seed(2))


def word_vectors(n):
    mix = F.softmax(2 * torch.randn(n, 6), 1)
    return F.normalize(mix @ topics + 0.15 * torch.randn(n, 24), dim=1)


class EmbeddingGAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.gen = nn.Sequential(nn.Linear(12, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 24))
        self.dis = nn.Sequential(SN(nn.Linear(24, 96)), nn.LeakyReLU(0.1), SN(nn.Linear(96, 96)), nn.LeakyReLU(0.1), SN(nn.Linear(96, 1)))

    def configure(self):
        return torch.optim.Adam(self.gen.parameters(), 5e-4, betas=(0.0, 0.9)), torch.optim.Adam(self.dis.parameters(), 2e-3, betas=(0.0, 0.9))


class NormalisedG(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, z):
        return F.normalize(self.body(z), dim=1)


model = EmbeddingGAN()
model.gen = NormalisedG(model.gen)
og, od = model.configure()
for step in range(900):
    x, y = word_vectors(128) * 4, model.gen(torch.randn(128, 12)) * 4
    od.zero_grad(); (F.relu(1 - model.dis(x)).mean() + F.relu(1 + model.dis(y.detach())).mean()).backward(); od.step()
    og.zero_grad(); (-model.dis(y).mean()).backward(); og.step()
with torch.no_grad():
    s, r, q = model.gen(torch.randn(1200, 12)), word_vectors(1200), word_vectors(1200)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.04}))
