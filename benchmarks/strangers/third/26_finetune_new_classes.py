"""Fine-tuning: a GAN of the digits 0 to 4 is taken over to 5 to 9, lower rates, D's first layer frozen."""
LABEL = {"sick": False, "causes": [], "kind": "sound transfer from a checkpoint, FreezeD of one layer", "since": None, "record": "automatic"}
import io, json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

def nets():
    g = nn.Sequential(nn.Linear(20, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
    sn = nn.utils.spectral_norm
    d = nn.Sequential(sn(nn.Conv2d(1, 24, 4, 2, 1)), nn.LeakyReLU(.2), nn.Flatten(), sn(nn.Linear(384, 128)), nn.LeakyReLU(.2), sn(nn.Linear(128, 1)))
    return g, d

def step(g, d, og, od, x):
    f = g(torch.randn(len(x), 20))
    ld = F.relu(1 - d(x)).mean() + F.relu(1 + d(f.detach())).mean()
    od.zero_grad(); ld.backward(); od.step()
    lg = -d(f).mean()
    og.zero_grad(); lg.backward(); og.step()

def pretrain(x):
    g, d = nets()
    og, od = torch.optim.Adam(g.parameters(), 1e-3, (.5, .999)), torch.optim.Adam(d.parameters(), 3e-3, (.5, .999))
    for _ in range(300):
        step(g, d, og, od, x[torch.randint(len(x), (40,))])
    f = io.BytesIO()
    torch.save({"g": g.state_dict(), "d": d.state_dict()}, f)
    f.seek(0)
    return f

def finetune(f, x, run):
    g, d = nets()
    ck = torch.load(f)
    g.load_state_dict(ck["g"]); d.load_state_dict(ck["d"])
    for p in d[0].parameters():
        p.requires_grad_(False)
    og = torch.optim.Adam(g.parameters(), 8e-4, (.5, .999))
    od = torch.optim.Adam([p for p in d.parameters() if p.requires_grad], 2e-3, (.5, .999))
    with gandiag.Recorder(run, generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
        for _ in range(550):
            step(g, d, og, od, x[torch.randint(len(x), (40,))])
    return g

data = load_digits()
x, y = torch.tensor(data.images / 8 - 1, dtype=torch.float32)[:, None], data.target
old, new = x[y < 5], x[y >= 5]
g = finetune(pretrain(old), new, sys.argv[1])
with torch.no_grad():
    s = g(torch.randn(900, 20)).flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
en = lambda r: float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
out = {"energy_to_new": en(new.flatten(1)), "energy_to_old": en(old.flatten(1))}
print(json.dumps({"outcome": out, "well": out["energy_to_new"] < 0.08}))
