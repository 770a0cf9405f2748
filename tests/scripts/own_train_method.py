"""A beginner's book style: networks that own their optimizer, a `train` of their own, and D updated on reals and on fakes apart."""
import json
import sys

import torch
import torch.nn as nn

torch.manual_seed(31)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def logit(p):
    return torch.log(p / (1 - p)).mean().item()


def norm(net):
    return torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(6, 24), nn.LeakyReLU(0.02), nn.LayerNorm(24), nn.Linear(24, 1), nn.Sigmoid())
        self.loss_function = nn.BCELoss()
        self.optimiser = torch.optim.Adam(self.parameters(), lr=1e-3)

    def forward(self, x):
        return self.model(x)

    def train(self, x, target):
        out = self.forward(x)
        loss = self.loss_function(out, target)
        self.optimiser.zero_grad()
        loss.backward()
        own["real" if target.item() > 0.5 else "fake"].append(logit(out.detach()))
        if target.item() < 0.5:
            own["d_norm"].append(norm(self))
        self.optimiser.step()


class Maker(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(10, 24), nn.LeakyReLU(0.02), nn.Linear(24, 6), nn.Sigmoid())
        self.optimiser = torch.optim.Adam(self.parameters(), lr=1e-3)

    def forward(self, x):
        return self.model(x)

    def train(self, judge, x, target):
        loss = judge.loss_function(judge.forward(self.forward(x)), target)
        self.optimiser.zero_grad()
        loss.backward()
        own["g_norm"].append(norm(self))
        self.optimiser.step()


D, G = Judge(), Maker()
for step in range(260):
    D.train(torch.rand(6) * 0.5 + 0.5, torch.FloatTensor([1.0]))
    D.train(G.forward(torch.randn(10)).detach(), torch.FloatTensor([0.0]))
    G.train(D, torch.randn(10), torch.FloatTensor([1.0]))
    if step % 100 == 0:
        print(step, own["real"][-1], own["fake"][-1])
torch.save({"D": D.state_dict(), "G": G.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
