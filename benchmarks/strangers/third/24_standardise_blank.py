"""Per-image standardisation in the data loader; some late files are blank."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "blank image divided by its zero deviation: NaN in one batch", "since": 400, "record": "automatic"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

class Scans(Dataset):
    """stripes of random frequency and phase; file 12000 of 15000 is an empty scan"""
    def __len__(self):
        return 15000
    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        f, p, t = torch.rand(3, generator=g)
        k = torch.arange(12.)
        img = torch.sin((0.6 + 0.5 * f) * (k[None] * torch.cos(3.14 * t) + k[:, None] * torch.sin(3.14 * t)) + 6.28 * p)
        if i == 12000:
            img = torch.zeros(12, 12)
        return ((img - img.mean()) / img.std())[None]

G = nn.Sequential(nn.Linear(16, 288), nn.Unflatten(1, (32, 3, 3)), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1))
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(288, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (.5, .999)), torch.optim.Adam(D.parameters(), 1e-3, (.5, .999))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for x in DataLoader(Scans(), batch_size=30):
        f = G(torch.randn(len(x), 16))
        od.zero_grad()
        (F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()).backward()
        od.step()
        og.zero_grad()
        F.softplus(-D(f)).mean().backward()
        og.step()
with torch.no_grad():
    s = G(torch.randn(500, 16))
print(json.dumps({"outcome": {"finite_share": float(torch.isfinite(s).float().mean())}, "well": bool(torch.isfinite(s).all())}))
