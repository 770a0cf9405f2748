"""Adversarial autoencoder on digits: the encoder is the adversary's opponent and the 'real data' are draws from the prior."""
LABEL = {"sick": False, "causes": [], "kind": "the reals are pure noise from N(0, I) and the fakes are codes; encoder trained by two optimizers in two phases (reconstruction, then regularisation), so most of its movement comes from outside the game; the discriminator keeps ahead (loss about 0.8 to 1.0)", "since": None, "record": "lines"}

import os, sys, itertools
import numpy as np
import torch
import torch.nn as nn
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))


class AAE:
    def __init__(self, path, dim=8, hidden=192, batch=100):
        self.dim, self.batch = dim, batch
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, dim))
        self.dec = nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 64), nn.Hardtanh())
        self.dis = nn.Sequential(nn.Linear(dim, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1), nn.Sigmoid())
        self.o_rec = torch.optim.Adam(itertools.chain(self.enc.parameters(), self.dec.parameters()), lr=1e-3)
        self.o_gen = torch.optim.Adam(self.enc.parameters(), lr=3e-4, betas=(0.5, 0.99))
        self.o_dis = torch.optim.Adam(self.dis.parameters(), lr=6e-4, betas=(0.5, 0.99))
        self.rec = Recorder(path, generator=self.enc, discriminator=self.dis, generator_optimizer=self.o_gen,
                            discriminator_optimizer=self.o_dis, discriminator_output="probability")
        self.bce = nn.BCELoss()

    def step(self, x):
        # phase 1: reconstruction
        code = self.enc(x)
        loss_rec = ((self.dec(code + 0.1 * torch.randn_like(code)) - x.flatten(1)) ** 2).mean()
        self.o_rec.zero_grad(); loss_rec.backward(); self.o_rec.step()
        # phase 2: regularisation
        prior = torch.randn(len(x), self.dim)
        with torch.no_grad():
            code = self.enc(x)
        p, q = self.dis(prior), self.dis(code)
        loss_dis = self.bce(p, torch.ones_like(p)) + self.bce(q, torch.zeros_like(q))
        self.o_dis.zero_grad(); loss_dis.backward(); self.o_dis.step()
        code = self.enc(x)
        q = self.dis(code)
        loss_gen = self.bce(q, torch.ones_like(q))
        self.o_gen.zero_grad(); loss_gen.backward(); self.o_gen.step()
        self.rec.step(real_logits=p, fake_logits=q, d_loss=loss_dis, g_loss=loss_gen, real=prior, fake=code)
        return loss_rec.item(), loss_dis.item(), loss_gen.item()

    def fit(self, data, steps):
        for s in range(steps):
            if s == int(steps * 0.7):
                for o in (self.o_rec, self.o_gen, self.o_dis):
                    o.param_groups[0]["lr"] *= 0.2
            m = self.step(data[torch.randint(len(data), (self.batch,))])
            if s % 400 == 0:
                print(s, "rec %.4f dis %.3f gen %.3f" % m)
        self.rec.close()


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(SEED); np.random.seed(SEED)
    x, y = outside.digits()
    perm = torch.randperm(len(x)); x = x[perm]
    model = AAE(sys.argv[1])
    model.fit(x[:1500], 2400)
    with torch.no_grad():
        codes = model.enc(x[:1000])
        new = model.dec(torch.randn(1000, model.dim))
        back = model.dec(model.enc(x[1500:])).sub(x[1500:].flatten(1)).pow(2).mean().item()
    e_code = outside.energy(codes, torch.randn(1000, model.dim))
    e_pic = outside.energy(new, x)
    k, q, _ = outside.digit_quality(new)
    outside.say(e_code < 0.01 and e_pic < 0.03 and k == 10 and q < 1.3 and back < 0.12, code_energy=e_code, energy=e_pic, classes=k, quality=q, reconstruction=back)
