"""Class-conditional digits with a projection discriminator, hinge loss and spectral norm, as in a config-driven repo, made small for 8x8."""
LABEL = {"sick": False, "causes": [], "kind": "healthy: conditional hinge with spectral norm, G loss wanders around zero", "since": None, "record": "automatic"}
import copy, os, random, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm as sn
import gandiag, outside

CFG = {"seed": int(os.environ.get("SEED", "0")), "z": 24, "steps": 2600, "bs": 100,
       "g": {"lr": 4e-4, "betas": (0.0, 0.99)}, "d": {"lr": 1.2e-3, "betas": (0.0, 0.99)}, "ema": 0.995}
random.seed(CFG["seed"]); np.random.seed(CFG["seed"]); torch.manual_seed(CFG["seed"])
torch.set_num_threads(1)
images, labels = outside.digits()
images = images.view(-1, 64)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 32)
        self.l1, self.l2, self.l3 = nn.Linear(CFG["z"] + 32, 192), nn.Linear(192, 192), nn.Linear(192, 64)

    def forward(self, z, y):
        h = F.relu(self.l1(torch.cat([z, self.embed(y)], 1)))
        return torch.tanh(self.l3(F.relu(self.l2(h))))


class ProjectionDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = sn(nn.Linear(64, 192)), sn(nn.Linear(192, 192))
        self.out, self.proj = sn(nn.Linear(192, 1)), sn(nn.Embedding(10, 192))

    def forward(self, x, y):
        h = F.leaky_relu(self.l2(F.leaky_relu(self.l1(x), .1)), .1)
        return self.out(h).squeeze(1) + (h * self.proj(y)).sum(1) * 3


G, D = Generator(), ProjectionDiscriminator()
ema = copy.deepcopy(G)
g_opt = torch.optim.Adam(G.parameters(), **CFG["g"])
d_opt = torch.optim.Adam(D.parameters(), **CFG["d"])
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

for step in range(CFG["steps"]):
    i = torch.randint(len(images), (CFG["bs"],))
    x, y = images[i] + .05 * torch.randn(CFG["bs"], 64), labels[i]
    fy = torch.randint(10, (CFG["bs"],))
    with torch.no_grad():
        fx = G(torch.randn(CFG["bs"], CFG["z"]), fy)
    d_loss = F.relu(1 - D(x, y)).mean() + F.relu(1 + D(fx + .05 * torch.randn_like(fx), fy)).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    fy = torch.randint(10, (CFG["bs"],))
    fx = G(torch.randn(CFG["bs"], CFG["z"]), fy)
    g_loss = -D(fx + .05 * torch.randn_like(fx), fy).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    with torch.no_grad():
        for a, b in zip(ema.parameters(), G.parameters()):
            a.lerp_(b, 1 - CFG["ema"])
    if step % 400 == 0:
        print({"step": step, "d": round(d_loss.item(), 3), "g": round(g_loss.item(), 3)})

want = torch.arange(1000) % 10
with torch.no_grad():
    k, ratio, acc = outside.digit_quality(ema(torch.randn(1000, CFG["z"]), want), want)
    k1, ratio1, acc1 = outside.digit_quality(G(torch.randn(1000, CFG["z"]), want), want)
outside.say(k == 10 and ratio < 1.5 and acc > .85 and acc1 > .8, classes=k, ratio=ratio, accuracy=acc, raw_accuracy=acc1, raw_ratio=ratio1)
