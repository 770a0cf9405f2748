"""A shop's orders: standardised log price, quantity and a channel one-hot (Gumbel softmax), WGAN-GP."""
LABEL = {"sick": False, "causes": [], "kind": "sound, tabular mixed types, WGAN-GP with 3 critic steps", "since": None, "record": "attach"}
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
P = torch.tensor([0.5, 0.3, 0.2])


def orders(n):
    c = torch.multinomial(P, n, True)
    price = torch.tensor([-0.8, 0.3, 1.4])[c] + 0.4 * torch.randn(n)
    qty = -0.5 * price + 0.6 * torch.randn(n)
    return torch.cat([price[:, None], qty[:, None], F.one_hot(c, 3).float()], 1)


class Residual(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.fc, self.bn = nn.Linear(i, o), nn.BatchNorm1d(o)

    def forward(self, x):
        return torch.cat([F.relu(self.bn(self.fc(x))), x], 1)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(Residual(16, 48), Residual(64, 48), nn.Linear(112, 5))

    def forward(self, z):
        o = self.seq(z)
        return torch.cat([o[:, :2], F.gumbel_softmax(o[:, 2:], tau=0.2)], 1)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(5, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.seq(x)


def gradient_penalty(critic, real, fake, lambda_=10):
    a = torch.rand(len(real), 1)
    mid = (a * real + (1 - a) * fake).requires_grad_()
    g, = torch.autograd.grad(critic(mid).sum(), mid, create_graph=True)
    return lambda_ * ((g.norm(2, dim=1) - 1) ** 2).mean()


gen, critic = Generator(), Critic()
opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.9), weight_decay=1e-6)
opt_c = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
for i in range(420):
    for _ in range(3):
        real, fake = orders(200), gen(torch.randn(200, 16)).detach()
        loss = critic(fake).mean() - critic(real).mean() + gradient_penalty(critic, real, fake)
        opt_c.zero_grad(set_to_none=False)
        loss.backward()
        opt_c.step()
    loss_g = -critic(gen(torch.randn(200, 16))).mean()
    opt_g.zero_grad(set_to_none=False)
    loss_g.backward()
    opt_g.step()
    if i % 100 == 0:
        print(i, loss.item(), loss_g.item())
gen.eval()
with torch.no_grad():
    s, r, q = gen(torch.randn(1200, 16)), orders(1200), orders(1200)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r), "shares": s[:, 2:].mean(0).tolist()}, "well": e(s, r) < 0.05}))
