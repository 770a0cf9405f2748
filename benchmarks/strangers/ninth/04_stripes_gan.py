"""gan.py -- tiny GAN on stripe textures, 8x8 grey."""
import math, os, random, sys
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "vanishing_generator_gradient", "discriminator_dominance"],
         "kind": "discriminator ends in a sigmoid and the loss is BCEWithLogitsLoss: sigmoid twice, G's gradient dies",
         "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def textures(n):
    g = np.arange(8)
    yy, xx = np.meshgrid(g, g, indexing="ij")
    th = np.random.uniform(0, math.pi, (n, 1, 1))
    ph = np.random.uniform(0, 2 * math.pi, (n, 1, 1))
    w = np.random.uniform(0.8, 1.1, (n, 1, 1))
    return torch.tensor(0.9 * np.sin(w * (np.cos(th) * xx + np.sin(th) * yy) + ph), dtype=torch.float32)[:, None]


class G_net(nn.Module):
    def __init__(self, z_dim=16):
        super().__init__()
        self.project = nn.Linear(z_dim, 32 * 4)
        self.up = nn.Sequential(
            nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 1, 3, padding=1), nn.Tanh())

    def forward(self, z):
        return self.up(self.project(z).view(-1, 32, 2, 2))


class D_net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 24, 3, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.LeakyReLU(0.2))
        self.classify = nn.Sequential(nn.Flatten(), nn.Linear(48 * 4, 1), nn.Sigmoid())

    def forward(self, x):
        return self.classify(self.features(x))


def main(log_dir):
    train = textures(3000)
    G, D = G_net(), D_net()
    opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    loss_fn = nn.BCEWithLogitsLoss()
    bs = 32
    t_real, t_fake = torch.ones(bs, 1), torch.zeros(bs, 1)
    rec = gandiag.Recorder(log_dir, generator=G, discriminator=D, generator_optimizer=opt_g,
                           discriminator_optimizer=opt_d)
    step = 0
    while step < 700:
        for idx in torch.randperm(len(train))[: len(train) // bs * bs].split(bs):
            x = train[idx]
            x_hat = G(torch.randn(bs, 16))
            d_loss = 0.5 * (loss_fn(D(x), t_real) + loss_fn(D(x_hat.detach()), t_fake))
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()

            g_loss = loss_fn(D(x_hat), t_real)
            opt_g.zero_grad()
            g_loss.backward()
            opt_g.step()
            rec.step(d_loss=d_loss, g_loss=g_loss)
            step += 1
    rec.close()
    print("final", d_loss.item(), g_loss.item())
    with torch.no_grad():
        e = outside.energy(G(torch.randn(800, 16)), textures(800))
    outside.say(e < 0.06, energy=e)


if __name__ == "__main__":
    main(sys.argv[1])
