"""A discriminator that returns its verdict and its features, which go on to a network that reads the code back."""
import json
import sys
from itertools import chain

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot, softplus

torch.manual_seed(43)


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 24), nn.LeakyReLU(0.1))
        self.verdict = nn.Linear(24, 1)

    def forward(self, x):
        features = self.body(x)
        return self.verdict(features), features


class Maker(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5 + 3, 24), nn.ReLU(), nn.Linear(24, 6))

    def forward(self, z, code):
        return self.net(torch.cat([z, code.float()], 1))


maker, judge, reader = Maker(), Judge(), nn.Linear(24, 3)
opt_m = torch.optim.Adam(chain(maker.parameters(), reader.parameters()), 1e-3)
opt_j = torch.optim.Adam(judge.parameters(), 1e-3)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(14):
    label = torch.randint(3, (16,))
    made = maker(torch.randn(16, 5), one_hot(label, 3))  # whole numbers, one-hot
    (on_real, _), (on_fake, _) = judge(torch.randn(16, 6)), judge(made.detach())
    opt_j.zero_grad()
    (softplus(-on_real).mean() + softplus(on_fake).mean()).backward()
    own["real"].append(on_real.mean().item())
    own["fake"].append(on_fake.mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in judge.parameters()]).norm().item())
    opt_j.step()
    opt_m.zero_grad()
    verdict, features = judge(made)
    (softplus(-verdict).mean() + cross_entropy(reader(features), label)).backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in maker.parameters()]).norm().item())
    opt_m.step()
    print(step, verdict.mean().item())
    if step == 9:
        torch.jit.script(judge)  # as for a server, in mid-training
torch.save({"g": maker.state_dict(), "d": judge.state_dict(), "q": reader.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
