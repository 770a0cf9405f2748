"""Fast simulation of Z -> mu mu: transverse momenta, angles and energy in raw GeV; relativistic least-squares critic with a fixed physics layer."""
LABEL = {"sick": False, "causes": [], "kind": "features in raw GeV with scales from 1 to 60, the network's own scales live in a fixed layer on both sides; least squares on relativistic differences; energies tied to the momenta exactly", "since": None, "record": "lines"}
import os
import sys
import math
import torch
import torch.nn as nn
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)
torch.manual_seed(SEED)


def complete(px, py, pz):
    """massless muon: the fourth component is bound to the three"""
    return torch.stack([px, py, pz, (px ** 2 + py ** 2 + pz ** 2 + 1e-3).sqrt()], 1)


def events(n):
    m = 91.2 + 2.5 * torch.randn(n)
    cos = torch.rand(n) * 2 - 1
    keep = torch.rand(n) < (1 + cos ** 2) / 2
    cos = torch.where(keep, cos, torch.sign(cos) * torch.rand(n) ** 0.4)
    phi = torch.rand(n) * 2 * math.pi
    sin = (1 - cos ** 2).clamp_min(0).sqrt()
    smear = 1 + 0.03 * torch.randn(n)
    p = m / 2 * smear
    return complete(p * sin * phi.cos(), p * sin * phi.sin(), p * cos)


class Simulator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 80), nn.SiLU(), nn.Linear(80, 80), nn.Mish(), nn.Linear(80, 80), nn.Mish(), nn.Linear(80, 3))

    def forward(self, z):
        return complete(*(40.0 * (0.7 * z[:, :3] + self.net(z))).unbind(1))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.tensor([30., 30., 30.]))
        self.net = nn.Sequential(nn.Linear(5, 96), nn.SiLU(), nn.Linear(96, 96), nn.Mish(), nn.Linear(96, 1))

    def forward(self, p):
        q = p[:, :3] / self.scale
        pt = q[:, :2].square().sum(1, keepdim=True).add(1e-4).sqrt()
        return self.net(torch.cat([q, pt, (p[:, 3:] - 45.6) / 15.0], 1))


sim, crit = Simulator(), Critic()
o_s = torch.optim.RAdam(sim.parameters(), lr=7e-4, betas=(0.5, 0.99))
o_c = torch.optim.RAdam(crit.parameters(), lr=7e-4, betas=(0.5, 0.99))
rec = Recorder(sys.argv[1], generator=sim, discriminator=crit, generator_optimizer=o_s, discriminator_optimizer=o_c)
N = 2200
c_s, c_c = (torch.optim.lr_scheduler.CosineAnnealingLR(o, N, 2e-5) for o in (o_s, o_c))
shadow = torch.optim.swa_utils.AveragedModel(sim, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99))

for i in range(N):
    real, fake = events(128), sim(torch.randn(128, 6))
    x = real.clone().requires_grad_()
    r, f = crit(x), crit(fake.detach())
    gx, = torch.autograd.grad(r.sum(), x, create_graph=True)
    lc = ((r - f.mean() - 1) ** 2).mean() + ((f - r.mean() + 1) ** 2).mean() + 200 * gx.square().sum(1).mean()
    o_c.zero_grad(); lc.backward(); o_c.step()
    r, f = crit(real).detach(), crit(fake)
    ls = ((f - r.mean() - 1) ** 2).mean() + ((r - f.mean() + 1) ** 2).mean()
    o_s.zero_grad(); ls.backward(); o_s.step()
    c_s.step(); c_c.step(); shadow.update_parameters(sim)
    rec.step(real_logits=r, fake_logits=f, d_loss=lc, g_loss=ls, real=real, fake=fake)
rec.close()

with torch.no_grad():
    s, t = shadow(torch.randn(5000, 6)), events(5000)
e = outside.energy(s, t)
mean_e, std_e = s[:, 3].mean().item(), s[:, 3].std().item()
true_std = t[:, 3].std().item()
outside.say(e < 0.01 and abs(mean_e - t[:, 3].mean().item()) < 1.0 and 0.6 < std_e / true_std < 1.6, energy=e, mean_GeV=mean_e, width_GeV=std_e, true_width=true_std)
