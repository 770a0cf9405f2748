"""Sensor drift: a GAN trained on last year's two moons is fine-tuned, in the same run, on this year's (rotated, shifted, noisier) recordings."""
LABEL = {"sick": False, "causes": [], "kind": "the real data change at step 800 to another law; losses and scores jump there and settle again; the generator's first layer is frozen and learning rates fall afterwards", "since": None, "record": "automatic"}
import os, sys
import numpy as np
import torch
from torch import nn, optim
from sklearn.datasets import make_moons
from gandiag.recording import Recorder
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); torch.set_num_threads(1)


def recordings(n, year, seed):
    x, _ = make_moons(n, noise=0.06 if year == "old" else 0.1, random_state=seed)
    x = (x - [0.5, 0.25]) * 1.3
    if year == "new":
        c, s = np.cos(1.0), np.sin(1.0)
        x = x @ np.array([[c, -s], [s, c]]) + [0.8, -0.5]
    return torch.tensor(x, dtype=torch.float32)


class Trainer:
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(6, 72), nn.Tanh(), nn.Linear(72, 72), nn.LeakyReLU(0.1), nn.Linear(72, 72), nn.LeakyReLU(0.1), nn.Linear(72, 2))
        self.D = nn.Sequential(nn.Linear(2, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
        self.og = optim.NAdam(self.G.parameters(), lr=8e-4, betas=(0.5, 0.99))
        self.od = optim.NAdam(self.D.parameters(), lr=8e-4, betas=(0.5, 0.99))
        self.ema = optim.swa_utils.AveragedModel(self.G, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.99))

    def fit(self, data, steps, decay):
        base = [o.param_groups[0]["lr"] for o in (self.og, self.od)]
        for i in range(steps):
            if decay:
                for o, b in zip((self.og, self.od), base):
                    o.param_groups[0]["lr"] = b * min(1, 0.02 + 2 * (1 - i / steps))
            x = data[torch.randint(len(data), (96,))].requires_grad_()
            y = self.G(torch.randn(96, 6))
            a, b = self.D(x), self.D(y.detach())
            g, = torch.autograd.grad(a.sum(), x, create_graph=True)
            ld = nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean() + 0.1 * g.pow(2).sum(1).mean()
            self.od.zero_grad(); ld.backward(); self.od.step()
            lg = nn.functional.softplus(-self.D(y)).mean()
            self.og.zero_grad(); lg.backward(); self.og.step()
            self.ema.update_parameters(self.G)


t = Trainer()
recorder = Recorder(sys.argv[1], generator=t.G, discriminator=t.D, generator_optimizer=t.og, discriminator_optimizer=t.od, automatic=True)
t.fit(recordings(4000, "old", SEED), 800, decay=False)
t.G[0].requires_grad_(False)
t.fit(recordings(3000, "new", SEED + 1), 1200, decay=True)
recorder.close()

with torch.no_grad():
    s = t.ema(torch.randn(4000, 6))
truth = recordings(4000, "new", 77)
e = outside.energy(s, truth)
near = (torch.cdist(s, truth).min(1)[0] < 0.15).float().mean().item()
cover = (torch.cdist(truth, s).min(1)[0] < 0.15).float().mean().item()
outside.say(e < 0.015 and near > 0.85 and cover > 0.9, energy=e, near=near, cover=cover, from_old=outside.energy(s, recordings(4000, "old", 5)))
