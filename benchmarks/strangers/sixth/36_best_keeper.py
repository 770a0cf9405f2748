"""Flags of three stripes (RGB, 8x8): training with a callback that goes back to the best checkpoint when things get worse."""
import os, sys, copy
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["metric_fault", "stagnation"], "since": 50, "record": "automatic",
         "kind": "the callback takes the greatest distance for the best and rolls G back to the worst checkpoint every time it improves"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
COLOURS = torch.tensor([[.9, -.9, -.9], [-.9, .9, -.9], [-.9, -.9, .9], [.9, .9, .9], [.9, .9, -.9], [-.8, -.8, -.8]])
FLAGS = [(0, 3, 2), (1, 3, 0), (5, 0, 4), (0, 4, 0), (2, 4, 0), (3, 2, 0), (1, 4, 1), (2, 3, 2)]


def flag(k):
    img = torch.zeros(3, 8, 8)
    for c, (a, b) in zip(FLAGS[k], ((0, 3), (3, 5), (5, 8))):
        img[:, :, a:b] = COLOURS[c][:, None, None]
    return img


CENTRES = torch.stack([flag(k) for k in range(8)])


class Config:
    nz, lr, batch, steps = 16, 1e-3, 48, 1500
    validate_every, patience = 50, 2


class BestKeeper:
    """Keeps the state of the best validation and restores it after `patience` worse ones."""
    def __init__(self, mode="max"):
        self.better = (lambda a, b: a > b) if mode == "max" else (lambda a, b: a < b)
        self.best, self.state, self.bad = None, None, 0

    def __call__(self, net, score):
        if self.best is None or self.better(score, self.best):
            self.best, self.state, self.bad = score, copy.deepcopy(net.state_dict()), 0
        else:
            self.bad += 1
            if self.bad >= Config.patience:
                net.load_state_dict(self.state)
                self.bad = 0


class FlagGAN:
    def __init__(self):
        self.gen = nn.Sequential(nn.Linear(Config.nz, 128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.LeakyReLU(0.2),
                                 nn.Linear(256, 192), nn.Tanh(), nn.Unflatten(1, (3, 8, 8)))
        self.dis = nn.Sequential(nn.Flatten(), nn.Linear(192, 192), nn.LeakyReLU(0.2), nn.Linear(192, 96), nn.LeakyReLU(0.2),
                                 nn.Linear(96, 1))
        self.go = torch.optim.Adam(self.gen.parameters(), Config.lr, betas=(0.5, 0.99))
        self.do = torch.optim.Adam(self.dis.parameters(), Config.lr, betas=(0.5, 0.99))
        self.keeper = BestKeeper()

    def reals(self, n):
        return CENTRES[torch.randint(0, 8, (n,))] + 0.05 * torch.randn(n, 3, 8, 8)

    def fit(self):
        bce = nn.BCEWithLogitsLoss()
        one, zero = torch.ones(Config.batch, 1), torch.zeros(Config.batch, 1)
        for step in range(1, Config.steps + 1):
            x, f = self.reals(Config.batch).requires_grad_(), self.gen(torch.randn(Config.batch, Config.nz))
            out = self.dis(x)
            g, = torch.autograd.grad(out.sum(), x, create_graph=True)
            loss = bce(out, one) + bce(self.dis(f.detach()), zero) + 2.5 * g.pow(2).sum((1, 2, 3)).mean()
            self.do.zero_grad(); loss.backward(); self.do.step()
            loss = bce(self.dis(f), one)
            self.go.zero_grad(); loss.backward(); self.go.step()
            if step % Config.validate_every == 0:
                with torch.no_grad():
                    s = self.gen(torch.randn(256, Config.nz))
                self.keeper(self.gen, outside.energy(s, self.reals(256)))
        return self


gan = FlagGAN()
with gandiag.Recorder(sys.argv[1], generator=gan.gen, discriminator=gan.dis, generator_optimizer=gan.go, discriminator_optimizer=gan.do,
                      automatic=True):
    gan.fit()
with torch.no_grad():
    s = gan.gen(torch.randn(800, Config.nz))
m, share = outside.modes(s, CENTRES, 5.5)
outside.say(m >= 6 and share > 0.7, modes=m, of=8, good=share, energy=outside.energy(s, gan.reals(800)))
