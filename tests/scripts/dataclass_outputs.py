"""Outputs as libraries return them: the generator a dataclass, the discriminator a dict that holds features first; an optimizer of the script's own."""
import json
import sys
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(0)


@dataclass
class Generated:
    style: torch.Tensor
    image: torch.Tensor


class OwnSGD(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.add_(p.grad, alpha=-group["lr"])


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.mapping, self.synthesis = nn.Linear(8, 16), nn.Linear(16, 2)

    def forward(self, z):
        style = torch.relu(self.mapping(z))
        return Generated(style, self.synthesis(style))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(2, 16), nn.Linear(16, 1)

    def forward(self, x):
        features = torch.relu(self.body(x))
        return {"features": features, "logits": self.head(features)}


def norm(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()


G, D = Generator(), Discriminator()
g_opt, d_opt = OwnSGD(G.parameters(), 0.01), OwnSGD(D.parameters(), 0.01)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(20):
    made = G(torch.randn(16, 8))
    d_opt.zero_grad()
    real, fake = D(torch.randn(16, 2) * 0.1 + 1)["logits"], D(made.image.detach())["logits"]
    (softplus(-real).mean() + softplus(fake).mean()).backward()
    own["real"].append(real.mean().item())
    own["fake"].append(fake.mean().item())
    own["d_norm"].append(norm(D))
    d_opt.step()
    g_opt.zero_grad()
    softplus(-D(made.image)["logits"]).mean().backward()
    own["g_norm"].append(norm(G))
    g_opt.step()
    print(step, real.mean().item(), fake.mean().item())
torch.save({"g": G.state_dict(), "d": D.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
