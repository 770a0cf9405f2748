"""Conditional GAN on 8x8 digits: label embedding in both nets, images and labels reshuffled every epoch."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "images and labels are permuted separately at each epoch, so the condition tells nothing", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside


class Net(nn.Module):
    def __init__(self, n_in, n_out, width=160, act=None, p=0.0):
        super().__init__()
        self.emb = nn.Embedding(10, 16)
        self.l1, self.l2, self.l3 = nn.Linear(n_in + 16, width), nn.Linear(width, width), nn.Linear(width, n_out)
        self.act, self.drop = act, nn.Dropout(p)

    def forward(self, v, y):
        h = torch.cat([v, self.emb(y)], 1)
        h = self.drop(F.leaky_relu(self.l1(h), 0.2))
        h = self.drop(F.leaky_relu(self.l2(h), 0.2))
        h = self.l3(h)
        return self.act(h) if self.act else h


class CGAN:
    def __init__(self, images, labels, nz=24, lr=4e-4):
        self.x, self.y, self.nz = images.flatten(1), labels, nz
        self.g = Net(nz, 64, act=torch.tanh)
        self.d = Net(64, 1, p=0.25)
        self.og = torch.optim.Adam(self.g.parameters(), lr, (0.5, 0.999))
        self.od = torch.optim.Adam(self.d.parameters(), lr, (0.5, 0.999))

    def batches(self, size=64):
        px, py = torch.randperm(len(self.x)), torch.randperm(len(self.x))
        images, labels = self.x[px], self.y[py]
        for i in range(0, len(images) - size + 1, size):
            yield images[i:i + size], labels[i:i + size]

    def step(self, x, y):
        fake = self.g(torch.randn(len(x), self.nz), y)
        loss_d = F.softplus(-self.d(x, y)).mean() + F.softplus(self.d(fake.detach(), y)).mean()
        self.od.zero_grad(); loss_d.backward(); self.od.step()
        loss_g = F.softplus(-self.d(fake, y)).mean()
        self.og.zero_grad(); loss_g.backward(); self.og.step()

    def fit(self, epochs):
        for _ in range(epochs):
            for x, y in self.batches():
                self.step(x, y)
        return self

    @torch.no_grad()
    def sample(self, y):
        self.g.eval()
        return self.g(torch.randn(len(y), self.nz), y)


if __name__ == "__main__":
    seed = int(os.environ.get("SEED", "0"))
    random.seed(seed); np.random.seed(seed); torch.manual_seed(seed); torch.set_num_threads(1)
    X, Y = outside.digits()
    model = CGAN(X, Y).fit(120)
    want = torch.arange(1000) % 10
    s = model.sample(want)
    k, ratio, acc = outside.digit_quality(s, want.numpy())
    outside.say(k >= 9 and ratio < 1.6 and acc > 0.75, classes=k, ratio=ratio, accuracy=acc)
