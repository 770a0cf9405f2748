"""Digits with a data module and a fit loop, options after the fashion of the big frameworks."""
import os
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
import outside

LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting", "data_mismatch"], "since": 0, "record": "attach",
         "kind": "overfit_batches=1 is left in from debugging: sixteen images are the whole data, and G learns them by heart"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
HPARAMS = {"batch_size": 16, "overfit_batches": 1, "max_steps": 1800, "lr": 1e-3, "latent": 20}


class DigitsModule:
    def __init__(self, batch_size, overfit_batches=0):
        x, _ = outside.digits()
        order = torch.randperm(len(x))
        self.train, self.test = x[order[:1300]], x[order[1300:]]
        if overfit_batches:
            self.train = self.train[:overfit_batches * batch_size]
        self.batch_size = batch_size

    def forever(self):
        loader = DataLoader(TensorDataset(self.train), batch_size=self.batch_size, shuffle=True, drop_last=True)
        while True:
            for (x,) in loader:
                yield x.flatten(1)


class GAN:
    def __init__(self, latent, lr):
        self.latent = latent
        self.G = nn.Sequential(nn.Linear(latent, 128), nn.ReLU(), nn.Linear(128, 192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh())
        self.D = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
        self.opts = [torch.optim.Adam(n.parameters(), lr, betas=(0.5, 0.99)) for n in (self.G, self.D)]

    def training_step(self, x):
        og, od = self.opts
        x.requires_grad_()
        fake = self.G(torch.randn(len(x), self.latent))
        real_score = self.D(x)
        slope, = torch.autograd.grad(real_score.sum(), x, create_graph=True)
        d = F.softplus(-real_score).mean() + F.softplus(self.D(fake.detach())).mean() + 0.15 * slope.pow(2).sum(1).mean()
        od.zero_grad()
        d.backward()
        od.step()
        g = F.softplus(-self.D(fake)).mean()
        og.zero_grad()
        g.backward()
        og.step()


data = DigitsModule(HPARAMS["batch_size"], HPARAMS["overfit_batches"])
gan = GAN(HPARAMS["latent"], HPARAMS["lr"])
for step, batch in zip(range(HPARAMS["max_steps"]), data.forever()):
    gan.training_step(batch)

with torch.no_grad():
    s = gan.G(torch.randn(800, HPARAMS["latent"]))
near_train = torch.cdist(s, data.train.flatten(1)).min(1)[0]
near_test = torch.cdist(s, data.test.flatten(1)).min(1)[0]
copies = float((near_train < 0.6 * near_test).float().mean())
classes, near, _ = outside.digit_quality(s)
e = outside.energy(s, data.test)
outside.say(classes >= 9 and copies < 0.15 and e < 0.05 and near < 1.6, classes=classes, near=near, copies=copies, energy=e)
