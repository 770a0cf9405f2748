"""A patch discriminator on several scales, an averaged copy of the generator, and sampling with other batch sizes in between."""
import copy
import json
import sys

import torch
from torch import nn
from torch.nn import functional as F


class PatchD(nn.Module):
    def __init__(self):
        super().__init__()
        self.scales = nn.ModuleList(nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3, 1, 1)) for _ in range(2))

    def forward(self, x):
        return [net(F.avg_pool2d(x, 2 ** i) if i else x) for i, net in enumerate(self.scales)]


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 16 * 4)
        self.up = nn.Sequential(nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.up(self.fc(z).view(-1, 16, 2, 2))


def loop(path):
    torch.manual_seed(13)
    g, d = Gen(), PatchD()
    g_ema = copy.deepcopy(g).eval()
    opt_g, opt_d = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.9)), torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.9))
    own = {"d_norm": [], "g_norm": []}
    for step in range(16):
        x = torch.tanh(torch.randn(8, 3, 8, 8))
        fake = g(torch.randn(8, 8))
        d_loss = sum((F.relu(1 - r).mean() + F.relu(1 + f).mean()) for r, f in zip(d(x), d(fake.detach())))
        opt_d.zero_grad()
        d_loss.backward()
        own["d_norm"].append(torch.cat([p.grad.flatten() for p in d.parameters()]).norm().item())
        opt_d.step()
        g_loss = sum(-f.mean() for f in d(fake))
        opt_g.zero_grad()
        g_loss.backward()
        own["g_norm"].append(torch.cat([p.grad.flatten() for p in g.parameters()]).norm().item())
        opt_g.step()
        with torch.no_grad():
            for a, b in zip(g_ema.parameters(), g.parameters()):
                a.lerp_(b, 0.01)
        if step % 4 == 0:
            with torch.no_grad():
                shown = g_ema(torch.randn(3, 8)).mean().item()
            g.eval()
            shown += g(torch.randn(5, 8)).mean().item()
            g.train()
            print(step, d_loss.item(), g_loss.item(), shown)
    torch.save({"g": g.state_dict(), "d": d.state_dict(), "ema": g_ema.state_dict()}, path)
    json.dump(own, open(path + ".json", "w"))


loop(sys.argv[1])
