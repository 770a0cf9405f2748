"""A discriminator that tells two classes apart by a softmax, class 1 for reals, trained with cross-entropy."""

import json
import sys

import torch
from torch import nn

torch.manual_seed(5)
maker = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))
judge = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 2))
if len(sys.argv) > 2:
    judge.append(nn.LogSoftmax(dim=1))
of_maker, of_judge = torch.optim.Adam(maker.parameters(), 1e-3), torch.optim.Adam(judge.parameters(), 1e-3)
cross_entropy = nn.CrossEntropyLoss()
is_real, is_fake = torch.ones(32, dtype=torch.long), torch.zeros(32, dtype=torch.long)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def norm(net):
    return torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()


for step in range(24):
    made = maker(torch.randn(32, 4))
    on_real, on_fake = judge(torch.randn(32, 2) + 3), judge(made.detach())
    loss = cross_entropy(on_real, is_real) + cross_entropy(on_fake, is_fake)
    of_judge.zero_grad()
    loss.backward()
    own["real"].append((on_real[:, 1] - on_real[:, 0]).mean().item())
    own["fake"].append((on_fake[:, 1] - on_fake[:, 0]).mean().item())
    own["d_norm"].append(norm(judge))
    of_judge.step()
    of_maker.zero_grad()
    cross_entropy(judge(made), is_real).backward()
    own["g_norm"].append(norm(maker))
    of_maker.step()
    print(f"{step} {loss.item():.4f}")

torch.save({"maker": maker.state_dict(), "judge": judge.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
