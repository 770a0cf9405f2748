"""A generator that is told how many and draws its noise itself, a dict of outputs, and fakes for D made in inference mode."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(41)


class Sampler(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 24), nn.SiLU(), nn.Linear(24, 3))

    def forward(self, how_many: int):
        noise = torch.randn(how_many, 5)
        return {"sample": self.body(noise), "noise": noise}


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 24), nn.SiLU(), nn.Linear(24, 1))

    def forward(self, batch):
        return {"logits": self.body(batch["sample"])}


def norm(net):
    return torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()


sampler, judge = Sampler(), Judge()
opt_s, opt_j = torch.optim.AdamW(sampler.parameters(), 1e-3), torch.optim.AdamW(judge.parameters(), 1e-3)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(30):
    with torch.inference_mode():
        made = sampler(16)
    fake = {name: value.clone() for name, value in made.items()}
    on_real = judge({"sample": torch.randn(16, 3) * 0.3 + 1, "noise": None})["logits"]
    on_fake = judge(fake)["logits"]
    opt_j.zero_grad()
    (softplus(-on_real) + softplus(on_fake)).mean().backward()
    own["real"].append(on_real.mean().item())
    own["fake"].append(on_fake.mean().item())
    own["d_norm"].append(norm(judge))
    opt_j.step()
    loss = softplus(-judge(sampler(16))["logits"]).mean()
    opt_s.zero_grad()
    loss.backward()
    own["g_norm"].append(norm(sampler))
    opt_s.step()
    print(step, round(loss.item(), 6))
torch.save({"sampler": sampler.state_dict(), "judge": judge.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
