"""WGAN-GP on random graphs of eight nodes in two communities, the upper triangle of the adjacency as a vector."""
import os
import torch
from torch import nn, autograd, optim
import outside

LABEL = {"sick": False, "causes": [], "since": None, "record": "attach",
         "kind": "discrete data (edges) from a Gumbel-sigmoid generator, a critic with three steps and one-sided penalty, unbounded scores"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
N = 8
IU = torch.triu_indices(N, N, 1)


def graphs(n):
    """Two communities of 4 (fixed); half of the graphs are dense inside, half have a hub (node 0) instead."""
    side = torch.arange(N) < 4
    inside = (side[IU[0]] == side[IU[1]]).float()
    p_comm = 0.9 * inside + 0.05 * (1 - inside)
    hub = (IU[0] == 0).float()
    p_hub = 0.95 * hub + 0.1 * (1 - hub)
    kind = (torch.rand(n, 1) < 0.5).float()
    return torch.bernoulli(kind * p_comm + (1 - kind) * p_hub)


class EdgeGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 96), nn.LayerNorm(96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 28))

    def forward(self, z):
        logit = self.net(z)
        u = torch.rand_like(logit).clamp(1e-6, 1 - 1e-6)
        soft = torch.sigmoid((logit + torch.log(u) - torch.log1p(-u)) / 0.5)
        return (soft > 0.5).float() + soft - soft.detach()


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(28, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, a):
        return self.net(a)


gen, critic = EdgeGenerator(), Critic()
og, oc = optim.Adam(gen.parameters(), 8e-4, (0., 0.9)), optim.Adam(critic.parameters(), 1e-3, (0., 0.9))
for it in range(800):
    for _ in range(3):
        real = graphs(96)
        fake = gen(torch.randn(96, 16)).detach()
        mix = torch.lerp(fake, real, torch.rand(96, 1)).requires_grad_(True)
        slope = autograd.grad(critic(mix).sum(), mix, create_graph=True)[0].norm(dim=1)
        loss = critic(fake).mean() - critic(real).mean() + 10 * torch.relu(slope - 1).pow(2).mean()
        oc.zero_grad()
        loss.backward()
        oc.step()
    loss = -critic(gen(torch.randn(96, 16))).mean()
    og.zero_grad()
    loss.backward()
    og.step()

with torch.no_grad():
    s, r = gen(torch.randn(1000, 16)).round(), graphs(1000)
e = outside.energy(s, r)
hubs = float((s[:, IU[0] == 0].sum(1) >= 6).float().mean())
edge = float((s.mean(0) - r.mean(0)).abs().mean())
outside.say(e < 0.02 and 0.3 < hubs < 0.65 and edge < 0.08, energy=e, hubs=hubs, edge_error=edge)
