"""Accelerate prepares nets, optimizers and data; a closure trains."""
import json
import sys

import torch
from accelerate import Accelerator
from torch import nn
from torch.nn.functional import relu
from torch.utils.data import DataLoader, TensorDataset


def make_trainer(accelerator, gen, dis, opt_g, opt_d, own):
    def norm(net):
        return torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()

    def train(real):
        fake = gen(torch.randn(len(real), 6))
        on_real, on_fake = dis(real), dis(fake.detach())
        opt_d.zero_grad()
        accelerator.backward(relu(1 - on_real).mean() + relu(1 + on_fake).mean())
        own["real"].append(on_real.mean().item())
        own["d_norm"].append(norm(dis))
        opt_d.step()
        opt_g.zero_grad()
        accelerator.backward(-dis(fake).mean())
        own["g_norm"].append(norm(gen))
        opt_g.step()

    return train


torch.manual_seed(44)
accelerator = Accelerator(cpu=True)
gen = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 8))
dis = nn.Sequential(nn.Linear(8, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
data = DataLoader(TensorDataset(torch.randn(160, 8)), batch_size=16, shuffle=True)
own = {"real": [], "d_norm": [], "g_norm": []}
gen, dis, opt_g, opt_d, data = accelerator.prepare(
    gen, dis, torch.optim.Adam(gen.parameters(), 1e-3), torch.optim.Adam(dis.parameters(), 1e-3), data
)
train = make_trainer(accelerator, gen, dis, opt_g, opt_d, own)
for epoch in range(2):
    for (real,) in data:
        train(real)
torch.save({"g": accelerator.unwrap_model(gen).state_dict(), "d": accelerator.unwrap_model(dis).state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
