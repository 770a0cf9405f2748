"""Sensor drift data in five columns; the scaler is fitted again in every batch."""
LABEL = {"sick": True, "causes": ["objective_fault", "data_mismatch", "stagnation"], "kind": "reals and fakes are each standardised by their own batch before D: location and scale are lost", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
MIX = torch.randn(5, 5, generator=torch.Generator().manual_seed(21)) / 1.5


def table(n):
    return F.softplus(torch.randn(n, 5) @ MIX) * 1.5 + 1.0


def preprocess(batch):
    return (batch - batch.mean(0)) / (batch.std(0) + 1e-6)


class Net(nn.Sequential):
    def __init__(self, i, o):
        super().__init__(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))


netG, netD = Net(8, 5), Net(5, 1)
optimizerG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
optimizerD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
history = []
for epoch in range(6):
    for i in range(100):
        real = preprocess(table(100))
        fake = preprocess(netG(torch.randn(100, 8)))
        optimizerD.zero_grad()
        errD = F.softplus(-netD(real)).mean() + F.softplus(netD(fake.detach())).mean()
        errD.backward()
        optimizerD.step()
        optimizerG.zero_grad()
        errG = F.softplus(-netD(fake)).mean()
        errG.backward()
        optimizerG.step()
        history.append((errD.item(), errG.item()))
    print(epoch, history[-1])
with torch.no_grad():
    s, r = netG(torch.randn(1000, 8)), table(1000)
e = float((2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())
print(json.dumps({"outcome": {"energy": e, "mean_fake": s.mean(0).tolist(), "mean_real": r.mean(0).tolist()}, "well": e < 0.08}))
