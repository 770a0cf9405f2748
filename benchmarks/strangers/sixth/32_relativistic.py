"""Relativistic pairing GAN with R1 and R2 on digits, class-conditional through a projection head."""
import os, sys
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": False, "causes": [], "since": None, "record": "lines",
         "kind": "a paired relativistic loss with penalties on reals and on fakes; logits alone have no meaning"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
cfg = dict(nz=32, width=128, lr=1e-3, gamma=0.3, batch=48, steps=900)


class G_(nn.Module):
    def __init__(s):
        super().__init__()
        w = cfg["width"]
        s.l1, s.l2, s.l3 = nn.Linear(cfg["nz"], w), nn.Linear(w, w), nn.Linear(w, 64)
        s.style = nn.Embedding(10, 2 * w)

    def forward(s, z, y):
        a, b = s.style(y).chunk(2, 1)
        h = F.leaky_relu(s.l1(z) + a, 0.2)
        h = F.leaky_relu(s.l2(h) + b, 0.2)
        return torch.tanh(s.l3(h)).view(-1, 1, 8, 8)


class D_(nn.Module):
    def __init__(s):
        super().__init__()
        s.f = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2),
                            nn.Flatten(), nn.Linear(192, 96), nn.LeakyReLU(0.2))
        s.out, s.proj = nn.Linear(96, 1), nn.Embedding(10, 96)

    def forward(s, x, y):
        h = s.f(x)
        return s.out(h)[:, 0] + (h * s.proj(y)).sum(1) / 10


def zero_centred(score, x):
    g, = torch.autograd.grad(score.sum(), x, create_graph=True)
    return g.flatten(1).pow(2).sum(1).mean()


X, Y = outside.digits()
G, D = G_(), D_()
og = torch.optim.Adam(G.parameters(), cfg["lr"], betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), cfg["lr"], betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(cfg["steps"]):
    i = torch.randint(0, len(X), (cfg["batch"],))
    real, y = X[i].clone().requires_grad_(), Y[i]
    fake = G(torch.randn(cfg["batch"], cfg["nz"]), y)
    fd = fake.detach().requires_grad_()
    r, f = D(real, y), D(fd, y)
    d_loss = F.softplus(f - r).mean()
    total = d_loss + cfg["gamma"] / 2 * (zero_centred(r, real) + zero_centred(f, fd))
    od.zero_grad(); total.backward(); od.step()
    g_loss = F.softplus(D(X[i], y).detach() - D(fake, y)).mean()
    og.zero_grad(); g_loss.backward(); og.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=r, fake_logits=f, real=real, fake=fake)
rec.close()

want = torch.arange(10).repeat(60)
with torch.no_grad():
    s = G(torch.randn(600, cfg["nz"]), want)
classes, near, acc = outside.digit_quality(s, want)
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(classes == 10 and near < 1.5 and acc > 0.85 and e < 0.03, classes=classes, near=near, acc=acc, energy=e)
