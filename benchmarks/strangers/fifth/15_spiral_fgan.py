"""f-GAN (Pearson divergence) on two spiral arms."""
LABEL = {"sick": False, "causes": [], "kind": "healthy f-GAN with the Pearson divergence", "since": None, "record": "automatic"}
import os, sys
import torch, torch.nn as nn
import gandiag, outside
torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def galaxy(n):
    r = 0.3 + 1.5 * torch.rand(n)
    arm = torch.randint(2, (n,)) * 3.14159
    th = 2.2 * r + arm
    return torch.stack([r * th.cos(), r * th.sin()], 1) + 0.08 * torch.randn(n, 2)

class Divergence:
    """Pearson chi-square: activation v, conjugate t^2 / 4 + t."""
    @staticmethod
    def activation(v): return v
    @staticmethod
    def conjugate(t): return t ** 2 / 4 + t

def net(i, o, hidden, act):
    seq = []
    for h in hidden:
        seq += [nn.Linear(i, h), act()]
        i = h
    return nn.Sequential(*seq, nn.Linear(i, o))

class FGAN:
    def __init__(self, f=Divergence):
        self.f = f
        self.Q = net(4, 2, [96, 96, 96], nn.SiLU)
        self.V = net(2, 1, [96, 96], nn.SiLU)
        self.optQ = torch.optim.Adam(self.Q.parameters(), lr=6e-4, betas=(0.5, 0.95))
        self.optV = torch.optim.Adam(self.V.parameters(), lr=2e-3, betas=(0.5, 0.95))
        self.callbacks = []

    def T(self, x):
        return self.f.activation(self.V(x))

    def bound(self, x, y):
        return self.T(x).mean() - self.f.conjugate(self.T(y)).mean()

    def fit(self, n=1300, bs=160):
        for i in range(n):
            y = self.Q(torch.randn(bs, 4))
            loss = -self.bound(galaxy(bs), y.detach())
            self.optV.zero_grad(); loss.backward(); self.optV.step()
            g = -self.T(self.Q(torch.randn(bs, 4))).mean()
            self.optQ.zero_grad(); g.backward(); self.optQ.step()
            for c in self.callbacks:
                c(self, i, n)

def anneal(model, i, n):
    k = min(1.0, 2 * (1 - (i + 1) / n) + 0.05)
    model.optQ.param_groups[0]["lr"] = 6e-4 * k
    model.optV.param_groups[0]["lr"] = 2e-3 * k

model = FGAN()
model.callbacks.append(anneal)
with gandiag.Recorder(sys.argv[1], generator=model.Q, discriminator=model.V, generator_optimizer=model.optQ, discriminator_optimizer=model.optV, automatic=True):
    model.fit()
with torch.no_grad():
    s = model.Q(torch.randn(2000, 4))
big = galaxy(20000)
near = torch.cdist(s, big).min(1).values
e = outside.energy(s, galaxy(1000))
outside.say(e < 0.01 and float((near < 0.1).float().mean()) > 0.8, energy=e, on_arms=float((near < 0.1).float().mean()))
