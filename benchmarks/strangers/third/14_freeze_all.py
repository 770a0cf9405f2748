"""Fine-tuning a digits GAN to the digits 5 to 9 with a frozen discriminator (FreezeD gone wrong)."""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"], "kind": "FreezeD froze every layer of D, not the lower ones", "since": 0, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
d = load_digits()
X, y = torch.tensor(d.images / 8 - 1, dtype=torch.float32)[:, None], torch.tensor(d.target)
G = nn.Sequential(nn.Linear(24, 128), nn.Unflatten(1, (32, 2, 2)), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(128, 1))

def freeze(net, layers):
    for layer in net[:layers]:
        for p in layer.parameters():
            p.requires_grad_(False)

def train(data, steps, rec=None, lr=2e-3):
    og = torch.optim.Adam(G.parameters(), lr, betas=(.5, .999))
    od = torch.optim.Adam(D.parameters(), lr / 2, betas=(.5, .999))
    if rec:
        rec = gandiag.Recorder(rec, generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
    for _ in range(steps):
        x = data[torch.randint(len(data), (64,))]
        f = G(torch.randn(64, 24))
        ld = F.softplus(-D(x)).mean() + F.softplus(D(f.detach())).mean()
        od.zero_grad()
        if ld.requires_grad:
            ld.backward()
        od.step()
        lg = F.softplus(-D(f)).mean()
        og.zero_grad(); lg.backward(); og.step()
        if rec:
            rec.step(d_loss=ld, g_loss=lg)
    if rec:
        rec.close()

train(X[y < 5], 350)
checkpoint = {"G": G.state_dict(), "D": D.state_dict()}
G.load_state_dict(checkpoint["G"]); D.load_state_dict(checkpoint["D"])
freeze(D, layers=6)
train(X[y >= 5], 400, sys.argv[1])
with torch.no_grad():
    s = G(torch.randn(900, 24)).flatten(1)
r = X[y >= 5].flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
