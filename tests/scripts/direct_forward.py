"""A library's style: the nets train themselves in methods of theirs, which call `self.forward` and never the module."""
import json
import sys

import torch
from torch import nn


class Base(nn.Module):
    def norm(self):
        return torch.cat([p.grad.flatten() for p in self.parameters()]).norm().item()


class SNGenerator(Base):
    def __init__(self):
        super().__init__()
        self.l1, self.block, self.l2 = nn.Linear(6, 24), nn.Sequential(nn.ReLU(), nn.Linear(24, 24)), nn.Linear(24, 8)

    def forward(self, z):
        return self.l2(torch.relu(self.block(self.l1(z))))

    def generate(self, count):
        return self.forward(torch.randn(count, 6))

    def train_step(self, critic, optimizer, own):
        optimizer.zero_grad()
        loss = -critic(self.generate(16)).mean()
        loss.backward()
        own["g_norm"].append(self.norm())
        optimizer.step()
        return loss


class SNCritic(Base):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = nn.utils.spectral_norm(nn.Linear(8, 24)), nn.utils.spectral_norm(nn.Linear(24, 1))

    def forward(self, x):
        return self.l2(torch.nn.functional.leaky_relu(self.l1(x), 0.1))

    def train_step(self, real, generator, optimizer, own):
        optimizer.zero_grad()
        on_real, on_fake = self.forward(real), self.forward(generator.generate(16).detach())
        loss = torch.relu(1 - on_real).mean() + torch.relu(1 + on_fake).mean()
        loss.backward()
        own["real"].append(on_real.mean().item())
        own["fake"].append(on_fake.mean().item())
        own["d_norm"].append(self.norm())
        optimizer.step()
        return loss


torch.manual_seed(45)
gen, critic = SNGenerator(), SNCritic()
opt_g, opt_c = torch.optim.Adam(gen.parameters(), 1e-3, (0.0, 0.9)), torch.optim.Adam(critic.parameters(), 1e-3, (0.0, 0.9))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for step in range(16):
    loss_c = critic.train_step(torch.randn(16, 8), gen, opt_c, own)
    print(step, loss_c.item(), gen.train_step(critic, opt_g, own).item())
torch.save({"g": gen.state_dict(), "c": critic.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
