"""Blobs in images of 8x8 by an MLP, latents made in a helper."""
LABEL = {"sick": True, "causes": ["mode_collapse", "objective_fault", "data_mismatch"], "kind": "latents are all zeros (normal() without the underscore, result thrown away)", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
grid = torch.stack(torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij"))
def blobs(n):
    c = 1.5 + 5 * torch.rand(n, 2, 1, 1)
    return (2 * torch.exp(-((grid - c) ** 2).sum(1) / 2.5) - 1).flatten(1)
def make_noise(n, dim=16):
    z = torch.zeros(n, dim)
    torch.normal(z, 1.0)
    return z
netG = nn.Sequential(nn.Linear(16, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 64), nn.Tanh())
netD = nn.Sequential(nn.Linear(64, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
optG = torch.optim.Adam(netG.parameters(), 3e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), 3e-4, betas=(0.5, 0.999))
with gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD, automatic=True):
    for it in range(700):
        x, f = blobs(64), netG(make_noise(64))
        optD.zero_grad()
        (F.softplus(-netD(x)).mean() + F.softplus(netD(f.detach())).mean()).backward()
        optD.step()
        optG.zero_grad()
        F.softplus(-netD(f)).mean().backward()
        optG.step()
with torch.no_grad():
    s = netG(make_noise(500))
spread = float(s.std(0).mean() / blobs(500).std(0).mean())
print(json.dumps({"outcome": {"relative_spread": spread}, "well": spread > 0.5}))
