"""Heat-sink temperature fields (8x8) with two hot spots; the run is stopped and resumed from a checkpoint with the fine-tuning config."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "mode_collapse"], "kind": "resumed with lr 0.05 instead of 0.0005", "since": 1200, "record": "attach"}
import os, random, io
import numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

PRETRAIN = {"steps": 1200, "lr": 1e-3}
FINETUNE = {"steps": 1200, "lr": 5e-2}
yy, xx = torch.meshgrid(torch.arange(8.), torch.arange(8.), indexing="ij")

def fields(n):
    out = torch.zeros(n, 8, 8)
    for _ in range(2):
        cx, cy = 1.5 + 5 * torch.rand(n, 1, 1), 2.5 + 3 * torch.rand(n, 1, 1)
        out = out + torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / 4)
    return (out - 0.6).view(n, 64)

def build():
    g = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64))
    d = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    return g, d

def train(g, d, cfg):
    og = torch.optim.Adam(g.parameters(), lr=cfg["lr"], betas=(0.5, 0.999))
    od = torch.optim.Adam(d.parameters(), lr=cfg["lr"], betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    for i in range(cfg["steps"]):
        x, f = fields(64), g(torch.randn(64, 12))
        od.zero_grad()
        ld = bce(d(x), torch.ones(64, 1)) + bce(d(f.detach()), torch.zeros(64, 1))
        ld.backward(); od.step()
        og.zero_grad()
        lg = bce(d(f), torch.ones(64, 1))
        lg.backward(); og.step()
        if i % 300 == 0: print(i, cfg["lr"], ld.item(), lg.item())

g, d = build()
train(g, d, PRETRAIN)
buf = io.BytesIO(); torch.save({"g": g.state_dict(), "d": d.state_dict()}, buf); buf.seek(0)
state = torch.load(buf)
g.load_state_dict(state["g"]); d.load_state_dict(state["d"])
train(g, d, FINETUNE)
with torch.no_grad():
    e = outside.energy(g(torch.randn(1000, 12)), fields(1000))
outside.say(e < 0.06, energy=e)
