"""An autoencoder whose encoder has two updates in each step: one that reconstructs, and one against a judge of codes (AAE)."""

import json
import sys

import torch
from torch import nn

torch.manual_seed(3)
encoder = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 3))
decoder = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 12))
judge = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
of_encoder = torch.optim.Adam(encoder.parameters(), 1e-3)
of_decoder = torch.optim.Adam(decoder.parameters(), 1e-3)
of_judge = torch.optim.Adam(judge.parameters(), 1e-3)
bce = nn.BCELoss()
ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def clear():
    for net in (encoder, decoder, judge):
        net.zero_grad()


def norm(net):
    return torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()


for step in range(24):
    data = torch.randn(32, 3) @ torch.randn(3, 12)
    reconstruction = (decoder(encoder(data)) - data).square().mean()
    reconstruction.backward()
    of_decoder.step()
    of_encoder.step()
    clear()

    on_real, on_fake = judge(torch.randn(32, 3) * 2), judge(encoder(data))
    d_loss = bce(on_real, ones) + bce(on_fake, zeros)
    d_loss.backward()
    own["real"].append(torch.logit(on_real).mean().item())
    own["fake"].append(torch.logit(on_fake).mean().item())
    own["d_norm"].append(norm(judge))
    of_judge.step()
    clear()

    g_loss = bce(judge(encoder(data)), ones)
    g_loss.backward()
    own["g_norm"].append(norm(encoder))
    of_encoder.step()
    clear()
    print(f"{step} {reconstruction.item():.4f} {d_loss.item():.4f} {g_loss.item():.4f}")

torch.save({"e": encoder.state_dict(), "d": judge.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
