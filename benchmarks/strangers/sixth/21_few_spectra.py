"""Infrared-like spectra measured in the laboratory, augmented by a GAN since measuring is dear."""
import os
import torch
from torch import nn
import outside

LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting"],
         "kind": "32 training spectra and large nets trained long: G hands back the training spectra", "since": 300, "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
n_train = 32
BANDS = 28

def measure(n):
    a = torch.arange(BANDS).float()
    y = torch.zeros(n, BANDS)
    for centre, width in ((5, 1.5), (12, 2.2), (17, 1.3), (23, 1.8)):
        height, shift = torch.rand(n, 1), 1.2 * torch.rand(n, 1) - 0.6
        y = y + height * torch.exp(-0.5 * ((a - centre - shift) / width) ** 2)
    return y + 0.01 * torch.randn(n, BANDS)

lab = measure(n_train)
held_out = measure(1000)

class SpectraGAN:
    def __init__(self):
        self.z = 12
        self.gen = nn.Sequential(nn.Linear(self.z, 192), nn.LeakyReLU(0.2), nn.Linear(192, 192), nn.LeakyReLU(0.2), nn.Linear(192, 192),
                                 nn.LeakyReLU(0.2), nn.Linear(192, BANDS))
        self.dis = nn.Sequential(nn.Linear(BANDS, 192), nn.LeakyReLU(0.2), nn.Linear(192, 192), nn.LeakyReLU(0.2), nn.Linear(192, 1))
        self.opt_gen = torch.optim.Adam(self.gen.parameters(), lr=6e-4, betas=(0.0, 0.99))
        self.opt_dis = torch.optim.Adam(self.dis.parameters(), lr=6e-4, betas=(0.0, 0.99))

    def update(self, x):
        x = x.requires_grad_()
        fake = self.gen(torch.randn(len(x), self.z))
        p, q = self.dis(x), self.dis(fake.detach())
        slope = torch.autograd.grad(p.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        loss = nn.functional.softplus(-p).mean() + nn.functional.softplus(q).mean() + 0.02 * slope
        self.opt_dis.zero_grad()
        loss.backward()
        self.opt_dis.step()
        loss = nn.functional.softplus(-self.dis(fake)).mean()
        self.opt_gen.zero_grad()
        loss.backward()
        self.opt_gen.step()

    def fit(self, data, steps=2600, batch=64):
        for _ in range(steps):
            self.update(data[torch.randint(len(data), (batch,))])

gan = SpectraGAN()
gan.fit(lab)
with torch.no_grad():
    s = gan.gen(torch.randn(1000, gan.z))
e = outside.energy(s, held_out)
copy = (torch.cdist(s, lab).min(1).values.median() / torch.cdist(held_out, lab).min(1).values.median()).item()
outside.say(e < 0.03 and copy > 0.8, energy=e, distance_to_training=copy)
