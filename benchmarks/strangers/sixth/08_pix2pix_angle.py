"""From a size, a point somewhere on the circle of that size: pix2pix in small, with noise."""
import os, sys
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse"],
         "kind": "L1 term of weight 100 against one of many right answers: G ignores its noise and answers with the mean", "since": 0,
         "record": "automatic"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

class Opt:
    lambda_l1 = 100.0
    n_iter = 2500
    batch = 96
    lr = 8e-4
    beta1 = 0.5

def pairs(n):
    a = torch.rand(n, 1) * 2 - 1
    angle = 6.2831853 * torch.rand(n, 1)
    radius = 1.5 + 0.7 * a
    return a, radius * torch.cat([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2)

class Translator(nn.Module):
    def __init__(self, noise=4):
        super().__init__()
        self.noise = noise
        self.f = nn.Sequential(nn.Linear(1 + noise, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128),
                nn.ReLU(), nn.Linear(128, 2))
    def forward(self, a):
        return self.f(torch.cat([a, torch.randn(len(a), self.noise)], 1))

class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(3, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    def forward(self, a, b):
        return self.f(torch.cat([a, b], 1))

class Pix2Pix:
    def __init__(self, opt):
        self.opt, self.netG, self.netD = opt, Translator(), Judge()
        self.optimizer_G = torch.optim.Adam(self.netG.parameters(), opt.lr, (opt.beta1, 0.99))
        self.optimizer_D = torch.optim.Adam(self.netD.parameters(), opt.lr, (opt.beta1, 0.99))
        self.gan, self.l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()

    def optimize(self):
        a, b = pairs(self.opt.batch)
        fake = self.netG(a)
        b_in = b.clone().requires_grad_()
        pred_real, pred_fake = self.netD(a, b_in), self.netD(a, fake.detach())
        slope = torch.autograd.grad(pred_real.sum(), b_in, create_graph=True)[0]
        loss_d = self.gan(pred_real, torch.ones_like(pred_real)) + self.gan(pred_fake, torch.zeros_like(pred_fake))
        self.optimizer_D.zero_grad()
        (loss_d + 0.1 * slope.pow(2).sum(1).mean()).backward()
        self.optimizer_D.step()
        pred = self.netD(a, fake)
        loss_g = self.gan(pred, torch.ones_like(pred)) + self.opt.lambda_l1 * self.l1(fake, b)
        self.optimizer_G.zero_grad()
        loss_g.backward()
        self.optimizer_G.step()

    def fit(self):
        for _ in range(self.opt.n_iter):
            self.optimize()

model = Pix2Pix(Opt)
with gandiag.Recorder(sys.argv[1], generator=model.netG, discriminator=model.netD, generator_optimizer=model.optimizer_G,
                      discriminator_optimizer=model.optimizer_D, automatic=True):
    model.fit()
worst = 0.0
with torch.no_grad():
    for value in (-0.8, 0.0, 0.8):
        a = torch.full((800, 1), value)
        angle = 6.2831853 * torch.rand(800, 1)
        b = (1.5 + 0.7 * a) * torch.cat([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(800, 2)
        worst = max(worst, outside.energy(model.netG(a), b))
outside.say(worst < 0.04, worst_energy=worst)
