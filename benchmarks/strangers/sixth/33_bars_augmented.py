"""Bars at sixteen places, 12x12, with an augmentation in front of D for the small data set."""
import os, sys
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "objective_fault"], "since": 0, "record": "lines",
         "kind": "the augmentation ends in a rounding to 16 grey levels, which passes no gradient: G never learns"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


def bars():
    out = []
    for k in range(8):
        a = -torch.ones(12, 12)
        a[:, k + 2:k + 4] = 1
        out += [a * 0.9, a.t() * 0.9]
    return torch.stack(out)[:, None]


CENTRES = bars()


def real_batch(n):
    return (CENTRES[torch.randint(0, 16, (n,))] + 0.06 * torch.randn(n, 1, 12, 12)).clamp(-1, 1)


def augment(x):
    b = (torch.rand(len(x), 1, 1, 1) - 0.5) * 0.2          # brightness
    c = 1 + (torch.rand(len(x), 1, 1, 1) - 0.5) * 0.2      # contrast
    x = (x * c + b).clamp(-1, 1)
    return torch.round((x + 1) * 7.5) / 7.5 - 1            # 4 bit, like the camera's files


G = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 144), nn.Tanh(),
                  nn.Unflatten(1, (1, 12, 12)))
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16 * 36, 128), nn.LeakyReLU(0.2),
                  nn.Linear(128, 1))
g_opt = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)

for step in range(1200):
    real = augment(real_batch(48)).requires_grad_()
    fake = augment(G(torch.randn(48, 16)))
    pr, pf = D(real), D(fake.detach())
    d_loss = F.softplus(-pr).mean() + F.softplus(pf).mean()
    r1 = torch.autograd.grad(pr.sum(), real, create_graph=True)[0].square().sum((1, 2, 3)).mean()
    d_opt.zero_grad()
    (d_loss + 2.0 * r1).backward()
    d_opt.step()

    fake = augment(G(torch.randn(48, 16)))
    g_loss = F.softplus(-D(fake)).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

with torch.no_grad():
    s = G(torch.randn(800, 16))
m, share = outside.modes(s, CENTRES, 5.0)
outside.say(m >= 12 and share > 0.8, modes=m, of=16, good=share, energy=outside.energy(s, real_batch(800)))
