"""Projection discriminator and conditional batch norm on small digits; sums of convolutions, hinge loss, high rate."""
import os
import torch, torch.nn as nn, torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "projection cGAN, conditional batch norm, hinge + R1, lr 2e-3 for D, "
        "labels drawn anew for fakes", "since": None,
         "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
cfg = dict(z=20, steps=1500, batch=64, lr_g=1e-3, lr_d=2e-3, r1=0.1)

class CBN(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.bn = nn.BatchNorm1d(n, affine=False)
        self.gain, self.bias = nn.Embedding(10, n), nn.Embedding(10, n)
        nn.init.ones_(self.gain.weight); nn.init.zeros_(self.bias.weight)
    def forward(self, h, y):
        return self.bn(h) * self.gain(y) + self.bias(y)

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(cfg["z"], 192), nn.Linear(192, 192), nn.Linear(192, 64)
        self.n1, self.n2 = CBN(192), CBN(192)
    def forward(self, z, y):
        h = F.relu(self.n1(self.l1(z), y))
        h = F.relu(self.n2(self.l2(h), y))
        return torch.tanh(self.l3(h)).view(-1, 1, 8, 8)

class Projection(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Linear(256, 128), nn.LeakyReLU(0.2))
        self.out, self.emb = nn.Linear(128, 1), nn.Embedding(10, 128)
    def forward(self, x, y):
        h = self.body(x)
        return self.out(h).squeeze(1) + (self.emb(y) * h).sum(1) / 128 ** 0.5

def main():
    X, Y = outside.digits()
    G, D = Generator(), Projection()
    opt_g = torch.optim.Adam(G.parameters(), cfg["lr_g"], betas=(0.0, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), cfg["lr_d"], betas=(0.0, 0.99))
    for step in range(cfg["steps"]):
        for o, base in ((opt_g, cfg["lr_g"]), (opt_d, cfg["lr_d"])):
            o.param_groups[0]["lr"] = base * min(1.0, 2.05 - 2 * step / cfg["steps"])
        i = torch.randint(len(X), (cfg["batch"],))
        x, y = X[i].requires_grad_(), Y[i]
        y_fake = torch.randint(10, (cfg["batch"],))
        fake = G(torch.randn(cfg["batch"], cfg["z"]), y_fake)
        real_score = D(x, y)
        r1 = torch.autograd.grad(real_score.sum(), x, create_graph=True)[0].square().sum((1, 2, 3)).mean()
        d = F.relu(1 - real_score).mean() + F.relu(1 + D(fake.detach(), y_fake)).mean() + cfg["r1"] * r1
        opt_d.zero_grad(set_to_none=True); d.backward(); opt_d.step()
        g = -D(fake, y_fake).mean()
        opt_g.zero_grad(set_to_none=True); g.backward(); opt_g.step()
    G.eval()
    y = torch.arange(10).repeat(100)
    with torch.no_grad():
        s = G(torch.randn(1000, cfg["z"]), y)
    classes, far, acc = outside.digit_quality(s, y)
    spread = (s.std(0).mean() / X.std(0).mean()).item()
    outside.say(classes == 10 and far < 1.35 and acc > 0.85 and spread > 0.85, classes=classes, distance=far, accuracy=acc, spread=spread)

main()
