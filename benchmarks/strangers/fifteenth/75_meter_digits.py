"""Digits as read off meter displays: a conditional GAN on the small 8x8 set, with augmentation for both sides and an averaged generator."""
LABEL = {"sick": False, "causes": [],
         "kind": "small data with remedies: the discriminator (a probability) sees shifted and noisy real and generated images, targets are smoothed to 0.85, its learning rate is three times the generator's, the noise is withdrawn during training, the result is an EMA",
         "since": None, "record": "lines"}
import copy
import os
import sys
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from gandiag.recording import Recorder
import outside


class CondG(nn.Module):
    def __init__(self, nz=24, emb=16):
        super().__init__()
        self.nz = nz
        self.emb = nn.Embedding(10, emb)
        self.net = nn.Sequential(nn.Linear(nz + emb, 192), nn.BatchNorm1d(192), nn.ReLU(),
                                 nn.Linear(192, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh())

    def forward(self, z, y):
        return self.net(torch.cat([z, self.emb(y)], 1)).view(-1, 1, 8, 8)


class CondD(nn.Module):
    def __init__(self, h=192):
        super().__init__()
        self.f = nn.Sequential(nn.Flatten(), nn.Linear(64, h), nn.LeakyReLU(0.2), nn.Dropout(0.25), nn.Linear(h, h), nn.LeakyReLU(0.2))
        self.lin = nn.Linear(h, 1)
        self.proj = nn.Embedding(10, h)
        nn.init.normal_(self.proj.weight, std=0.05)

    def forward(self, x, y):
        h = self.f(x)
        return torch.sigmoid(self.lin(h) + (h * self.proj(y)).sum(1, keepdim=True))


def augment(x, sigma):
    """half a batch moves by one pixel, the same law for real and generated"""
    dx, dy = torch.randint(-1, 2, (2,)).tolist()
    if torch.rand(()) < 0.3:
        x = torch.roll(F.pad(x, (1, 1, 1, 1), value=-1.0), (dy, dx), (2, 3))[:, :, 1:-1, 1:-1]
    return x + sigma * torch.randn_like(x)


class Average:
    def __init__(self, net, decay=0.995):
        self.net, self.decay = copy.deepcopy(net).eval(), decay

    @torch.no_grad()
    def update(self, net):
        for a, b in zip(self.net.parameters(), net.parameters()):
            a.lerp_(b, 1 - self.decay)
        for a, b in zip(self.net.buffers(), net.buffers()):
            a.copy_(b)


if __name__ == "__main__":
    seed = int(os.environ.get("SEED", "0"))
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    x, y = outside.digits()
    loader = DataLoader(TensorDataset(x[:1200], y[:1200]), batch_size=60, shuffle=True)
    G, D = CondG(), CondD()
    opt_g = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=12e-4, betas=(0.5, 0.999))
    ema = Average(G)
    bce = nn.BCELoss()
    rec = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d,
                   discriminator_output="probability")
    epochs = 170
    for epoch in range(epochs):
        sigma = 0.5 * max(0.0, 1 - epoch / (0.7 * epochs)) + 0.05
        for real, lab in loader:
            n = len(real)
            fake = G(torch.randn(n, G.nz), lab)
            p_real = D(augment(real, sigma), lab)
            p_fake = D(augment(fake.detach(), sigma), lab)
            d_loss = bce(p_real, torch.full_like(p_real, 0.85)) + bce(p_fake, torch.zeros_like(p_fake))
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()
            p = D(augment(fake, sigma), lab)
            g_loss = bce(p, torch.ones_like(p))
            opt_g.zero_grad()
            g_loss.backward()
            opt_g.step()
            ema.update(G)
            rec.step(real_logits=p_real, fake_logits=p_fake, d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
        if epoch % 34 == 0:
            print(f"epoch {epoch} sigma {sigma:.2f} D {d_loss.item():.3f} G {g_loss.item():.3f}")
    rec.close()
    want = torch.arange(10).repeat(100)
    with torch.no_grad():
        made = ema.net(torch.randn(1000, G.nz), want)
    classes, dist, acc = outside.digit_quality(made, want)
    ed = outside.energy(made, x[1200:])
    spread = float(torch.stack([made[want == k].std(0).mean() / x[y == k].std(0).mean() for k in range(10)]).mean())
    outside.say(classes == 10 and dist < 1.25 and acc > 0.85 and ed < 0.06 and spread > 0.55, classes=classes, distance=dist, accuracy=acc, energy=ed, spread=spread)
