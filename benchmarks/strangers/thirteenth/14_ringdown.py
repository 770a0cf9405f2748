"""1-D convolutional GAN for ring-down curves: 250 D-only warm-up steps, validation with checkpoint of the best, learning rate dropped late."""
LABEL = {"sick": False, "causes": [], "kind": "healthy: long D-only warm-up so that D begins far ahead, late lr drop, validation and best checkpoint", "since": None, "record": "attach"}
import copy, os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)


def ringdown(n, seed):
    r = np.random.default_rng(seed)
    t = np.linspace(0, 1, 16)[None]
    w, tau, ph = r.uniform(7, 10, (n, 1)), r.uniform(.4, .9, (n, 1)), r.uniform(-.6, .6, (n, 1))
    return torch.tensor(np.exp(-t / tau) * np.cos(w * t + ph) + r.normal(0, .02, (n, 16)), dtype=torch.float32)[:, None]


train, valid, test = ringdown(4000, 1), ringdown(600, 2), ringdown(1000, 3)


class Net_G(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 24 * 4)
        self.c1, self.c2, self.c3 = nn.Conv1d(24, 24, 3, padding=1), nn.Conv1d(24, 16, 3, padding=1), nn.Linear(16 * 16, 16)

    def forward(self, z):
        h = F.leaky_relu(self.fc(z), .2).view(-1, 24, 4)
        h = F.leaky_relu(self.c1(F.interpolate(h, scale_factor=2)), .2)
        h = F.leaky_relu(self.c2(F.interpolate(h, scale_factor=2)), .2)
        return self.c3(h.flatten(1))[:, None]


class Net_D(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Conv1d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv1d(16, 32, 4, 2, 1), nn.LeakyReLU(.2),
                               nn.Flatten(), nn.Linear(128, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.f(x)


def d_step(net_g, net_d, opt, real):
    real = real.clone().requires_grad_(True)
    fake = net_g(torch.randn(len(real), 8)).detach()
    s = net_d(real)
    g = torch.autograd.grad(s.sum(), real, create_graph=True)[0]
    loss = F.softplus(-s).mean() + F.softplus(net_d(fake)).mean() + .05 * g.square().sum((1, 2)).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    return loss.item()


def g_step(net_g, net_d, opt, n):
    loss = F.softplus(-net_d(net_g(torch.randn(n, 8)))).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    return loss.item()


@torch.no_grad()
def evaluate(net_g, against):
    net_g.eval()
    e = outside.energy(net_g(torch.randn(600, 8)), against)
    net_g.train()
    return e


def main(iterations=2200, warmup=250):
    net_g, net_d = Net_G(), Net_D()
    og = torch.optim.Adam(net_g.parameters(), 1e-3, betas=(.5, .9))
    od = torch.optim.Adam(net_d.parameters(), 1e-3, betas=(.5, .9))
    sched = [torch.optim.lr_scheduler.MultiStepLR(o, [int(.75 * iterations)], gamma=.2) for o in (og, od)]
    draw = lambda: train[torch.randint(len(train), (64,))]
    for _ in range(warmup):
        ld = d_step(net_g, net_d, od, draw())
    print("after warm-up D loss", round(ld, 4))
    best, keep = 9.0, None
    for it in range(1, iterations + 1):
        ld = d_step(net_g, net_d, od, draw())
        lg = g_step(net_g, net_d, og, 64)
        for s in sched:
            s.step()
        if it % 200 == 0:
            v = evaluate(net_g, valid)
            print(f"it {it} D {ld:.3f} G {lg:.3f} validation {v:.4f}" + (" *" if v < best else ""))
            if v < best:
                best, keep = v, copy.deepcopy(net_g.state_dict())
    last = evaluate(net_g, test)
    net_g.load_state_dict(keep)
    e = evaluate(net_g, test)
    outside.say(e < .03 and last < .04, energy=e, energy_last=last)


main()
