"""Digits by WGAN-GP: the critic tells them apart to the end, the samples are fine."""
LABEL = {"sick": False, "causes": [], "kind": "sound, a wide critic far ahead", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
digits = load_digits()
X = torch.tensor(digits.data / 8 - 1, dtype=torch.float32)
G = nn.Sequential(nn.Linear(24, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64))
D = nn.Sequential(nn.Linear(64, 160), nn.LeakyReLU(0.2), nn.Linear(160, 160), nn.LeakyReLU(0.2), nn.Linear(160, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(550):
    for _ in range(3):
        x, f = X[torch.randint(len(X), (50,))], G(torch.randn(50, 24)).detach()
        m = torch.lerp(f, x, torch.rand(50, 1)).requires_grad_()
        gp = (torch.autograd.grad(D(m).sum(), m, create_graph=True)[0].norm(dim=1) - 1).square().mean()
        ld = D(f).mean() - D(x).mean() + 10 * gp
        od.zero_grad(); ld.backward(); od.step()
    lg = -D(G(torch.randn(50, 24))).mean()
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

clf = LogisticRegression(max_iter=300).fit(X.numpy(), digits.target)
with torch.no_grad():
    s = G(torch.randn(1000, 24))
share = torch.bincount(torch.tensor(clf.predict(s.numpy())), minlength=10) / 1000
e = energy(s, X)
print(json.dumps({"outcome": {"energy": e, "rarest": float(share.min())}, "well": e < 0.05 and float(share.min()) > 0.03}))
