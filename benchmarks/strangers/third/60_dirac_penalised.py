"""The Dirac-GAN with a zero-centred gradient penalty, which converges."""
LABEL = {"sick": False, "causes": [], "kind": "sound theory toy: penalised Dirac-GAN", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


class Dirac(nn.Module):
    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.ones(1))

    def forward(self, z):
        return self.theta + 0.05 * z


def main(path, eta=0.1, weight=0.5, steps=1200):
    g, d = Dirac(), nn.Linear(1, 1, bias=False)
    og, od = torch.optim.SGD(g.parameters(), lr=eta), torch.optim.SGD(d.parameters(), lr=eta)
    rec = gandiag.Recorder(path, generator=g, discriminator=d, generator_optimizer=og, discriminator_optimizer=od)
    history = []
    for _ in range(steps):
        real = 0.05 * torch.randn(32, 1)
        fake = g(torch.randn(32, 1))
        loss = nn.functional.softplus(-d(real)).mean() + nn.functional.softplus(d(fake.detach())).mean()
        loss = loss + weight / 2 * d.weight.square().sum()  # |grad_x D|^2 of a linear D
        od.zero_grad(); loss.backward(); od.step()
        g_loss = nn.functional.softplus(-d(fake)).mean()
        og.zero_grad(); g_loss.backward(); og.step()
        rec.step(d_loss=loss, g_loss=g_loss)
        history.append(g.theta.item())
    rec.close()
    return history


history = main(sys.argv[1])
late = max(map(abs, history[-300:]))
print(json.dumps({"outcome": {"late_amplitude": late}, "well": late < 0.1}))
