"""Conditional GAN: ask for a digit by its label and get a picture of it."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "images and labels are shuffled each epoch by two different permutations, so that labels say nothing of the images", "since": 0, "record": "lines"}
import os, random, sys
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

NZ, NC, BS, EPOCHS = 24, 10, 64, 85


def shuffled(*arrays):
    return [a[torch.randperm(len(a))] for a in arrays]


def batches(x, y):
    x, y = shuffled(x, y)
    for i in range(0, len(x) - BS + 1, BS):
        yield x[i:i + BS], y[i:i + BS]


class CondG(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(NC, 16)
        self.f1 = nn.Linear(NZ + 16, 128)
        self.f2 = nn.Linear(128, 128)
        self.out = nn.Linear(128, 64)

    def forward(self, z, y):
        h = torch.cat([z, self.emb(y)], 1)
        h = F.relu(self.f1(h))
        h = F.relu(self.f2(h))
        return torch.tanh(self.out(h)).view(-1, 1, 8, 8)


class CondD(nn.Module):
    def __init__(self):
        super().__init__()
        self.f1 = nn.Linear(64 + NC, 160)
        self.f2 = nn.Linear(160, 80)
        self.out = nn.Linear(80, 1)

    def forward(self, x, y):
        h = torch.cat([x.flatten(1), F.one_hot(y, NC).float()], 1)
        h = F.dropout(F.leaky_relu(self.f1(h), 0.2), 0.3, self.training)
        h = F.dropout(F.leaky_relu(self.f2(h), 0.2), 0.3, self.training)
        return torch.sigmoid(self.out(h))


def main():
    x, y = outside.digits()
    x_tr, y_tr, x_te = x[:1500], y[:1500], x[1500:]
    G, D = CondG(), CondD()
    opt_g = torch.optim.Adam(G.parameters(), 6e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), 6e-4, betas=(0.5, 0.999))
    recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g,
                        discriminator_optimizer=opt_d, discriminator_output="probability")
    ones, zeros = torch.full((BS, 1), 0.9), torch.zeros(BS, 1)
    for epoch in range(EPOCHS):
        for xb, yb in batches(x_tr, y_tr):
            fake = G(torch.randn(BS, NZ), yb)
            p_real = D(xb, yb)
            p_fake = D(fake.detach(), yb)
            d_loss = F.binary_cross_entropy(p_real, ones) + F.binary_cross_entropy(p_fake, zeros)
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()

            yg = torch.randint(0, NC, (BS,))
            g_loss = F.binary_cross_entropy(D(G(torch.randn(BS, NZ), yg), yg), torch.ones(BS, 1))
            opt_g.zero_grad()
            g_loss.backward()
            opt_g.step()
            recorder.step(real_logits=p_real, fake_logits=p_fake, d_loss=d_loss, g_loss=g_loss, real=xb, fake=fake)
        if epoch % 20 == 0:
            print(epoch, d_loss.item(), g_loss.item())
    recorder.close()

    want = torch.arange(1000) % NC
    with torch.no_grad():
        s = G(torch.randn(1000, NZ), want)
    classes, quality, acc = outside.digit_quality(s, want)
    outside.say(acc > 0.75 and quality < 1.7 and classes >= 8, accuracy=acc, quality=quality, classes=classes,
                energy=outside.energy(s, x_te))


if __name__ == "__main__":
    main()
