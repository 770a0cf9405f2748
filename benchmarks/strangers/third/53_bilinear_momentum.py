"""A bilinear game in eight dimensions: learn the mean of a Gaussian by a linear critic, SGD with momentum."""
LABEL = {"sick": True, "causes": ["divergence", "oscillation", "objective_fault"], "kind": "momentum 0.9 in an unregularised bilinear game spirals outward", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
DIM = 8
MU = torch.linspace(-2, 2, DIM)


class Shift(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.Parameter(torch.zeros(DIM))

    def forward(self, z):
        return z + self.b


def game(steps=900, lr=0.01, momentum=0.9):
    g, c = Shift(), nn.Linear(DIM, 1, bias=False)
    opt = {"g": torch.optim.SGD(g.parameters(), lr=lr, momentum=momentum), "c": torch.optim.SGD(c.parameters(), lr=lr, momentum=momentum)}
    r = gandiag.Recorder(sys.argv[1], generator=g, discriminator=c, generator_optimizer=opt["g"], discriminator_optimizer=opt["c"], automatic=True)
    for _ in range(steps):
        x = MU + torch.randn(64, DIM)
        opt["c"].zero_grad()
        (c(g(torch.randn(64, DIM)).detach()).mean() - c(x).mean()).backward()
        opt["c"].step()
        opt["g"].zero_grad()
        (-c(g(torch.randn(64, DIM))).mean()).backward()
        opt["g"].step()
    r.close()
    return g


err = float((game().b.detach() - MU).norm())
print(json.dumps({"outcome": {"distance_to_mean": err, "at_start": float(MU.norm())}, "well": err < 0.5}))
