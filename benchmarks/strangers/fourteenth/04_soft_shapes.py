"""Little shapes with instance noise: a stabilised GAN as in the 'amortised MAP' blog post."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "instance noise is added in place to a slice of the data set, so the data itself drowns in noise as epochs go by", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
from torch import nn
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

CFG = {"steps": 2000, "batch": 64, "nz": 16, "lr": 7e-4, "sigma": 0.15, "n_train": 1920}


def soft_shapes(n):
    """anti-aliased discs and diamonds of varying place and size on 8x8, in [-1, 1]"""
    yy, xx = np.mgrid[0:8, 0:8]
    cx, cy = np.random.uniform(2.5, 4.5, (2, n, 1, 1))
    r = np.random.uniform(1.5, 2.7, (n, 1, 1))
    disc = np.sqrt((xx - cx) ** 2 + (yy - cy) ** 2)
    diamond = 0.8 * (np.abs(xx - cx) + np.abs(yy - cy))
    which = np.random.rand(n, 1, 1) < 0.5
    d = np.where(which, disc, diamond)
    return torch.tensor(np.tanh(1.5 * (r - d)), dtype=torch.float32).unsqueeze(1)


class G_(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(nz, 96), nn.ReLU(True), nn.Linear(96, 128), nn.ReLU(True), nn.Linear(128, 64), nn.Tanh())

    def forward(self, z):
        return self.net(z).view(-1, 1, 8, 8)


class D_(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2, True), nn.Linear(128, 64), nn.LeakyReLU(0.2, True), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x.flatten(1))


data = soft_shapes(CFG["n_train"])
n_batches = CFG["n_train"] // CFG["batch"]
G, D = G_(CFG["nz"]), D_()
opt_g = torch.optim.Adam(G.parameters(), lr=CFG["lr"], betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=CFG["lr"], betas=(0.5, 0.99))
bce = nn.BCEWithLogitsLoss()
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

for step in range(CFG["steps"]):
    sigma = CFG["sigma"] * (1 - 0.7 * step / CFG["steps"])
    k = (step % n_batches) * CFG["batch"]
    real = data[k:k + CFG["batch"]]
    fake = G(torch.randn(CFG["batch"], CFG["nz"]))

    # both sides get the same amount of noise
    real += sigma * torch.randn_like(real)
    noisy_fake = fake + sigma * torch.randn_like(fake)

    out_r, out_f = D(real), D(noisy_fake.detach())
    loss_d = bce(out_r, torch.ones_like(out_r)) + bce(out_f, torch.zeros_like(out_f))
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    out = D(noisy_fake)
    loss_g = bce(out, torch.ones_like(out))
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 200 == 0:
        print(step, "sigma %.3f  D %.3f  G %.3f" % (sigma, loss_d.item(), loss_g.item()))
recorder.close()

with torch.no_grad():
    shapes = G(torch.randn(1000, CFG["nz"]))
e = outside.energy(shapes, soft_shapes(1000))
outside.say(e < 0.08, energy=e)
