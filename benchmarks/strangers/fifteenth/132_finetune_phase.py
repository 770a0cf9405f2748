"""Two-phase schedule on concentric rings: main training, then a phase of fine-tuning with the settings reset."""
LABEL = {"sick": True, "causes": ["learning_rate", "divergence", "dead_layers", "discriminator_dominance"], "kind": "in the second phase the generator's optimizer is rebuilt with lr 0.05 (a slip for 0.0005) and its samples fly apart", "since": 1500, "record": "lines"}

import math, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

PHASES = [
    {"steps": 1500, "g_lr": 1e-3, "d_lr": 1e-3},
    {"steps": 900, "g_lr": 5e-2, "d_lr": 5e-4},
]
BATCH = 128


def rings(n):
    r = torch.where(torch.rand(n) < 0.4, 0.6, 1.5)
    t = 2 * math.pi * torch.rand(n)
    return torch.stack([r * t.cos(), r * t.sin()], 1) + 0.06 * torch.randn(n, 2)


def build(sizes, act):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers, nn.Linear(*sizes[-2:]))


G = build([6, 96, 96, 96, 2], nn.ReLU)
D = build([2, 96, 96, 96, 1], lambda: nn.LeakyReLU(0.2))


def adam(net, lr):
    return torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.99))


opt_g, opt_d = adam(G, PHASES[0]["g_lr"]), adam(D, PHASES[0]["d_lr"])
rec = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

for number, phase in enumerate(PHASES):
    if number:                                    # fresh settings of the phase
        for opt, name in ((opt_g, "g_lr"), (opt_d, "d_lr")):
            opt.state.clear()
            for group in opt.param_groups:
                group["lr"] = phase[name]
    for step in range(phase["steps"]):
        x = rings(BATCH).requires_grad_(True)
        fake = G(torch.randn(BATCH, 6))
        r, f = D(x), D(fake.detach())
        d_loss = F.softplus(-r).mean() + F.softplus(f).mean()
        slope, = torch.autograd.grad(r.sum(), x, create_graph=True)
        opt_d.zero_grad()
        (d_loss + 0.025 * slope.square().sum(1).mean()).backward()
        opt_d.step()
        g_loss = F.softplus(-D(fake)).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        rec.step(real_logits=r.detach(), fake_logits=f.detach(), d_loss=d_loss.detach(), g_loss=g_loss.detach(), fake=fake.detach())
    with torch.no_grad():
        print("phase", number, "energy", outside.energy(G(torch.randn(1000, 6)), rings(1000)))
rec.close()

with torch.no_grad():
    s = G(torch.randn(2000, 6))
e = outside.energy(s, rings(2000))
rad = s.norm(dim=1)
on = (((rad - 0.6).abs() < 0.25) | ((rad - 1.5).abs() < 0.25)).float().mean().item()
outside.say(e < 0.02 and on > 0.75, energy=e, on_rings=on)
