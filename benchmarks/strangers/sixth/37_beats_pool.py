"""Heart beats of 40 samples, hinge loss, with the pool of earlier fakes that CycleGAN uses against oscillation."""
import os, sys, random
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "data_mismatch"], "since": 5, "record": "lines",
         "kind": "the pool of fakes is never refreshed once full: D learns only from what G made in its first steps"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)


class FakePool:
    def __init__(self, size=256):
        self.size, self.items = size, []

    def query(self, batch):
        out = []
        for item in batch.detach():
            if len(self.items) < self.size:
                self.items.append(item)
                out.append(item)
            else:
                k = random.randrange(self.size)
                old, item = self.items[k].clone(), item.clone()
                out.append(old)
        return torch.stack(out)


def bump(t, at, width, height):
    return height * torch.exp(-((t - at) / width) ** 2)


def beats(n):
    t = torch.linspace(0, 1, 40)[None]
    r = lambda a, b: a + (b - a) * torch.rand(n, 1)
    ectopic = (torch.rand(n, 1) < 0.3).float()
    normal = bump(t, r(.18, .22), .05, r(.1, .25)) + bump(t, r(.43, .47), .025, r(.8, 1.)) + bump(t, r(.68, .74), .07, r(.2, .35))
    wide = bump(t, r(.36, .42), .09, r(.6, .9)) - bump(t, r(.62, .68), .1, r(.3, .5))
    return (1 - ectopic) * normal + ectopic * wide + 0.01 * torch.randn(n, 40)


G = nn.Sequential(nn.Linear(8, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 40))
D = nn.Sequential(nn.Linear(40, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
pool = FakePool()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for step in range(2200):
    real = beats(64).requires_grad_()
    fake = G(torch.randn(64, 8))
    old = pool.query(fake)
    real_out, fake_out = D(real), D(old)
    gp = torch.autograd.grad(real_out.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
    d_loss = F.relu(1 - real_out).mean() + F.relu(1 + fake_out).mean() + 0.02 * gp
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -D(fake).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=real_out, fake_logits=fake_out)
rec.close()

with torch.no_grad():
    s = G(torch.randn(1000, 8))
r = beats(1000)
e = outside.energy(s, r)
share = float((s[:, 26] < -0.1).float().mean())
outside.say(e < 0.08 and 0.15 < share < 0.45, energy=e, ectopic=share)
