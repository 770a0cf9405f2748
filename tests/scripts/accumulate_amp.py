"""Gradient accumulation, clipping and bf16 autocast; zero_grad stands at the loop's end."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(14)
G = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 8))
D = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
optG, optD = torch.optim.SGD(G.parameters(), 0.05, momentum=0.5), torch.optim.SGD(D.parameters(), 0.05)
crit = nn.BCEWithLogitsLoss()
own = {"d_norm": [], "g_norm": []}
for step in range(16):
    for micro in range(2):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            x, z = torch.randn(12, 8), torch.randn(12, 6)
            out = D(x)
            loss = crit(out, torch.ones_like(out)) / 2
            out = D(G(z).detach())
            loss = loss + crit(out, torch.zeros_like(out)) / 2
        loss.backward()
    own["d_norm"].append(nn.utils.clip_grad_norm_(D.parameters(), 1e9).item())
    optD.step()
    optG.zero_grad()
    for micro in range(2):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = D(G(torch.randn(12, 6)))
            g_loss = crit(out, torch.ones_like(out)) / 2
        g_loss.backward()
    own["g_norm"].append(nn.utils.clip_grad_norm_(G.parameters(), 1e9).item())
    optG.step()
    optD.zero_grad()
    optG.zero_grad()
    print(step, loss.item(), g_loss.item())
torch.save({"g": G.state_dict(), "d": D.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
