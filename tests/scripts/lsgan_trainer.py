"""Least squares with a Trainer class: each player has a method of its own, and the losses leave it as floats."""
import json
import random
import sys

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, sizes, last):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.last = last

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), 0.2)
        x = self.layers[-1](x)
        return torch.tanh(x) if self.last == "tanh" else x


class Trainer:
    def __init__(self, seed=4):
        random.seed(seed)
        torch.manual_seed(seed)
        self.models = {"gen": Net([6, 24, 24, 16], "tanh"), "dis": Net([16, 24, 24, 1], None)}
        self.optims = {k: torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.999)) for k, m in self.models.items()}
        self.own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}

    def sample(self, n):
        return self.models["gen"](torch.randn(n, 6))

    def norm(self, key):
        return torch.stack([p.grad.norm() for p in self.models[key].parameters()]).norm().item()

    def discriminator_step(self, x):
        with torch.no_grad():
            fake = self.sample(len(x))
        pred_fake, pred_real = self.models["dis"](fake), self.models["dis"](x)
        loss = 0.5 * (F.mse_loss(pred_real, torch.ones_like(pred_real)) + pred_fake.pow(2).mean())
        self.optims["dis"].zero_grad(set_to_none=True)
        loss.backward()
        self.own["real"].append(pred_real.mean().item())
        self.own["fake"].append(pred_fake.mean().item())
        self.own["d_norm"].append(self.norm("dis"))
        self.optims["dis"].step()
        return float(loss.detach())

    def generator_step(self, n):
        loss = 0.5 * (self.models["dis"](self.sample(n)) - 1).pow(2).mean()
        self.optims["gen"].zero_grad(set_to_none=True)
        loss.backward()
        self.own["g_norm"].append(self.norm("gen"))
        self.optims["gen"].step()
        return float(loss.detach())

    def fit(self, steps):
        for step in range(steps):
            x = torch.tanh(torch.randn(24, 16) + random.choice([-1.0, 1.0]))
            d, g = self.discriminator_step(x), self.generator_step(24)
            if step % 5 == 0:
                self.models["gen"].eval()
                grid = self.sample(4).detach().mean().item()
                self.models["gen"].train()
                print(step, round(d, 4), round(g, 4), round(grid, 4))


if __name__ == "__main__":
    trainer = Trainer()
    trainer.fit(25)
    torch.save({"g": trainer.models["gen"].state_dict(), "d": trainer.models["dis"].state_dict()}, sys.argv[1])
    json.dump(trainer.own, open(sys.argv[1] + ".json", "w"))
