"""Polymer chain statistics in 1-D and its width in 2-D: least squares with targets -1, 1, 0, three D steps per G step, clipped gradients, batch of 32."""
LABEL = {"sick": False, "causes": [], "kind": "healthy LSGAN (-1, 1, 0), several D steps, gradient clipping, SGD with momentum for D", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
from torch import nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def chains(n, k=12):
    steps = torch.randn(n, k, 2) * torch.tensor([0.3, 0.18])
    walk = steps.cumsum(1)
    return torch.stack([walk[:, -1, 0], walk[..., 0].std(1), walk[..., 1].std(1)], 1)

gen = nn.Sequential(nn.Linear(5, 64), nn.Mish(), nn.Linear(64, 64), nn.Mish(), nn.Linear(64, 3))
dis = nn.Sequential(nn.Linear(3, 64), nn.Mish(), nn.Linear(64, 64), nn.Mish(), nn.Linear(64, 1))
go = torch.optim.Adam(gen.parameters(), 5e-4, betas=(0.5, 0.9))
do = torch.optim.SGD(dis.parameters(), 0.03, momentum=0.8)
def clip(m): nn.utils.clip_grad_norm_(m.parameters(), 1.0)
a, b, c = -1.0, 1.0, 0.0
for it in range(2500):
    for _ in range(3):
        x, f = chains(32), gen(torch.randn(32, 5)).detach()
        loss = ((dis(x) - b) ** 2).mean() + ((dis(f) - a) ** 2).mean()
        do.zero_grad(); loss.backward(); clip(dis); do.step()
    g = ((dis(gen(torch.randn(32, 5))) - c) ** 2).mean()
    go.zero_grad(); g.backward(); clip(gen); go.step()
with torch.no_grad():
    e = outside.energy(gen(torch.randn(1000, 5)), chains(1000))
outside.say(e < 0.03, energy=e)
