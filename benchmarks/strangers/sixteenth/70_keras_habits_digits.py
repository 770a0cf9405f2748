"""Class-conditional 8x8 digits, ported line by line from a Keras tutorial: train_on_batch, smooth labels, flipped labels, real and fake batches apart."""
LABEL = {"sick": False, "causes": [], "kind": "habits of Keras tutorials: labels 0.9 with 3 percent flips, two separate updates of the discriminator for real and fake, batch norm with momentum 0.8 in the generator, a gradient penalty on both sides, small data, a second optimizer for the label embedding", "since": None, "record": "attach"}
import os
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

latent_dim, epochs, batch_size = 24, 1900, 64
half = batch_size
X_train, y_train = outside.digits()


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label = nn.Embedding(10, latent_dim)
        self.dense = nn.Sequential(
            nn.Linear(latent_dim * 2, 128), nn.LeakyReLU(0.2),
            nn.Linear(128, 192), nn.BatchNorm1d(192, momentum=0.2), nn.LeakyReLU(0.2),
            nn.Linear(192, 64), nn.Tanh())

    def forward(self, z, c):
        return self.dense(torch.cat([z, 0.5 * self.label(c)], 1)).view(-1, 1, 8, 8)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.25),
                                      nn.Linear(192, 96), nn.LeakyReLU(0.2))
        self.out = nn.Linear(96, 1)
        self.project = nn.Embedding(10, 96)
        nn.init.normal_(self.project.weight, std=0.1)

    def forward(self, img, c):
        h = self.features(img)
        return self.out(h) + (self.project(c) * h).sum(1, keepdim=True)


generator, discriminator = Generator(), Discriminator()
loss_fn = nn.BCEWithLogitsLoss()
adam_d = torch.optim.Adam(discriminator.parameters(), lr=0.0004, betas=(0.5, 0.999))
adam_g = torch.optim.Adam(generator.dense.parameters(), lr=0.0006, betas=(0.5, 0.999))
adam_emb = torch.optim.Adam(generator.label.parameters(), lr=0.002, betas=(0.5, 0.999))


def augment(img):
    """tiny data: the same shifts and gain for both sides"""
    dx, dy = np.random.randint(-1, 2), np.random.randint(-1, 2)
    if np.random.rand() < 0.5:
        dx = dy = 0
    return torch.roll(img, (dx, dy), (2, 3)) * 1.0 + 0.1 * torch.randn_like(img)


def train_on_batch(img, c, target):
    img = img.detach().requires_grad_(True)
    logits = discriminator(img, c)
    slope, = torch.autograd.grad(logits.sum(), img, create_graph=True)
    loss = loss_fn(logits, target) + 0.15 * slope.pow(2).sum((1, 2, 3)).mean()
    discriminator.zero_grad()
    loss.backward()
    adam_d.step()
    return loss.item(), ((logits > 0).float() == target.round()).float().mean().item()


for epoch in range(epochs):
    if epoch == 1500:
        for o in (adam_d, adam_g, adam_emb):
            o.param_groups[0]["lr"] *= 0.3
    idx = np.random.randint(0, len(X_train), half)
    imgs, labels = X_train[idx], y_train[idx]
    with torch.no_grad():
        gen_imgs = generator(torch.randn(half, latent_dim), labels)
    valid = torch.full((half, 1), 0.9)
    fake = torch.zeros(half, 1)
    flip = torch.rand(half, 1) < 0.03
    valid[flip], fake[flip] = 0.0, 0.9
    d_real = train_on_batch(augment(imgs), labels, valid)
    d_fake = train_on_batch(augment(gen_imgs), labels, fake)

    c = torch.randint(0, 10, (batch_size,))
    z1, z2 = torch.randn(2, batch_size, latent_dim)
    a, b = generator(z1, c), generator(z2, c)
    seek = (z1 - z2).abs().mean(1) / (a - b).abs().mean((1, 2, 3)).clamp_min(1e-3)        # MSGAN
    g_loss = loss_fn(discriminator(augment(a), c), torch.ones(batch_size, 1)) + 0.03 * seek.mean()
    adam_g.zero_grad(); adam_emb.zero_grad()
    g_loss.backward()
    adam_g.step(); adam_emb.step()
    if epoch % 300 == 0:
        print("%d [D loss: %f, acc.: %.2f%%] [G loss: %f]" % (epoch, 0.5 * (d_real[0] + d_fake[0]), 50 * (d_real[1] + d_fake[1]), g_loss.item()))

generator.eval()
with torch.no_grad():
    want = torch.arange(10).repeat(100)
    s = generator(torch.randn(1000, latent_dim), want)
e = outside.energy(s[torch.randperm(1000)], X_train[torch.randperm(len(X_train))])
k, quality, acc = outside.digit_quality(s, want)
pick = lambda v: torch.pdist(v.flatten(1)).mean().item()
spread = float(np.mean([pick(s[want == d]) / pick(X_train[y_train == d]) for d in range(10)]))
outside.say(k == 10 and quality < 1.5 and acc > 0.85 and e < 0.05 and spread > 0.6, classes=k, quality=quality, accuracy=acc, energy=e, spread=spread)
