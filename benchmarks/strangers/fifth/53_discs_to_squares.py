"""Fine-tuning: a pair trained on discs goes on with few squares; D's lower layer frozen, tiny rates, averaged weights."""
LABEL = {"sick": False, "causes": [], "kind": "well: transfer to a new domain at a small rate with a frozen lower D and stochastic weight averaging", "since": None, "record": "attach"}
import os
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def shapes(n, square, s=12):
    i = torch.arange(s).float()
    cy, cx, r = 4 + 3 * torch.rand(n, 1, 1), 4 + 3 * torch.rand(n, 1, 1), 2 + 2 * torch.rand(n, 1, 1)
    dy, dx = (i.view(1, s, 1) - cy).abs(), (i.view(1, 1, s) - cx).abs()
    d = torch.maximum(dy, dx) if square else (dy ** 2 + dx ** 2).sqrt()
    return (2 * torch.sigmoid(4 * (r - d)) - 1).unsqueeze(1)

G = nn.Sequential(nn.Linear(12, 48 * 9), nn.ReLU(), nn.Unflatten(1, (48, 3, 3)), nn.ConvTranspose2d(48, 32, 4, 2, 1), nn.GroupNorm(4, 32), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())
lower = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2))
D = nn.Sequential(lower, nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(48 * 9, 1))
softplus = nn.functional.softplus

def game(data, steps, lr_g, lr_d, after=None, bs=32):
    opt_g = torch.optim.Adam(G.parameters(), lr_g, betas=(0.0, 0.99))
    opt_d = torch.optim.Adam([p for p in D.parameters() if p.requires_grad], lr_d, betas=(0.0, 0.99))
    for step in range(steps):
        x = data[torch.randint(len(data), (bs,))].requires_grad_(True)
        out = D(x)
        slope, = torch.autograd.grad(out.sum(), x, create_graph=True)
        fake = G(torch.randn(bs, 12))
        loss = softplus(-out).mean() + softplus(D(fake.detach())).mean() + 0.2 * slope.pow(2).flatten(1).sum(1).mean()
        opt_d.zero_grad(); loss.backward(); opt_d.step()
        loss = softplus(-D(fake)).mean()
        opt_g.zero_grad(); loss.backward(); opt_g.step()
        if after: after(step)

game(shapes(3000, False), 450, 1e-3, 1e-3)

for p in lower.parameters():
    p.requires_grad_(False)
average = AveragedModel(G)
game(shapes(600, True), 500, 2e-4, 2e-4, after=lambda step: average.update_parameters(G) if step >= 350 else None)

with torch.no_grad():
    s = average(torch.randn(800, 12))
e, e_old = outside.energy(s, shapes(800, True)), outside.energy(s, shapes(800, False))
outside.say(e < 0.03 and e < e_old, energy=e, energy_to_discs=e_old)
