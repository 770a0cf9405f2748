"""Keras' way in torch: a combined model, train_on_batch, fakes by way of numpy, the discriminator updated on reals and then on fakes."""
import json
import sys

import numpy as np
import torch
from torch import nn

own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def norm(model):
    return torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()


class Model(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        return self.net(x)

    def prepare(self, optimizer, loss):
        self.optimizer, self.loss = optimizer, loss

    def predict(self, x):
        with torch.no_grad():
            return self(torch.as_tensor(x, dtype=torch.float32)).numpy()

    def train_on_batch(self, x, y):
        self.optimizer.zero_grad()
        out = self(torch.as_tensor(x, dtype=torch.float32))
        loss = self.loss(out, torch.as_tensor(y, dtype=torch.float32))
        loss.backward()
        self.optimizer.step()
        return torch.logit(out).mean().item()


class GAN:
    def __init__(self):
        torch.manual_seed(0)
        self.discriminator = Model(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Sigmoid())
        self.discriminator.prepare(torch.optim.Adam(self.discriminator.parameters(), 2e-4, (0.5, 0.999)), nn.BCELoss())
        self.generator = Model(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
        self.combined = Model(self.generator, self.discriminator)
        self.combined.prepare(torch.optim.Adam(self.generator.parameters(), 2e-4, (0.5, 0.999)), nn.BCELoss())

    def train(self, epochs):
        for epoch in range(epochs):
            self.discriminator.requires_grad_(True)
            angles = np.random.uniform(0, 6.28, (16, 1))
            gen_imgs = self.generator.predict(np.random.normal(0, 1, (16, 4)))
            own["real"].append(self.discriminator.train_on_batch(np.hstack([np.cos(angles), np.sin(angles)]), np.ones((16, 1))))
            own["fake"].append(self.discriminator.train_on_batch(gen_imgs, np.zeros((16, 1))))
            own["d_norm"].append(norm(self.discriminator))
            self.discriminator.requires_grad_(False)
            self.combined.train_on_batch(np.random.normal(0, 1, (16, 4)), np.ones((16, 1)))
            own["g_norm"].append(norm(self.generator))
            print(epoch, own["real"][-1], own["fake"][-1])


if __name__ == "__main__":
    gan = GAN()
    gan.train(20)
    torch.save({"g": gan.generator.state_dict(), "d": gan.discriminator.state_dict()}, sys.argv[1])
    json.dump(own, open(sys.argv[1] + ".json", "w"))
