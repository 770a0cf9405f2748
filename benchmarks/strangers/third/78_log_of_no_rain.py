"""Rainfall and river level, log-transformed on the fly, least-squares GAN."""
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "dry days begin: log of zero enters the batches, everything is NaN after", "since": 450, "record": "automatic"}
import json, math, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)


class River:
    """days in order; from day 36000 the gauge rounds to a tenth of a millimetre"""

    def __init__(self, days=56000):
        rain = torch.exp(0.8 * torch.randn(days))
        level = 2 + 0.5 * torch.log(rain) + 0.2 * torch.randn(days)
        rain[36000:] = (rain[36000:] * 10 - 0.5).clamp(min=0).floor() / 10
        self.table = torch.stack([rain, level], 1)

    def __iter__(self):
        for rows in self.table.split(80):
            yield torch.stack([rows[:, 0].log(), rows[:, 1] - 2], 1)


def make(i, o):
    return nn.Sequential(nn.Linear(i, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, o))


def fit(path):
    g, d = make(4, 2), make(2, 1)
    g_opt, d_opt = torch.optim.RMSprop(g.parameters(), 5e-4), torch.optim.RMSprop(d.parameters(), 5e-4)
    recorder = gandiag.Recorder(path, generator=g, discriminator=d, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
    first = None
    for n, x in enumerate(River()):
        y = g(torch.randn(len(x), 4))
        d_opt.zero_grad(); ((d(x) - 1).square().mean() + d(y.detach()).square().mean()).backward(); d_opt.step()
        g_opt.zero_grad(); (d(y) - 1).square().mean().backward(); g_opt.step()
        if first is None and not math.isfinite(float(g[0].weight.sum())):
            first = n
    recorder.close()
    return g, first


g, first = fit(sys.argv[1])
s = g(torch.randn(1000, 4)).detach()
share = float(torch.isfinite(s).all(1).float().mean())
print(json.dumps({"outcome": {"finite_share": share, "weights_bad_since": first}, "well": share == 1.0}))
