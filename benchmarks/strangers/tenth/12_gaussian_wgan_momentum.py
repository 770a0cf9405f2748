"""
Fitting a correlated 4-D Gaussian with an adversarial game, after the toy section of a seminar paper.
The generator is affine, the critic a small net.
"""
LABEL = {"sick": True, "causes": ["oscillation", "learning_rate", "divergence"],
         "kind": "SGD with momentum 0.9 and a high rate for both players of a WGAN: the sample mean circles round the target for ever", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

dim, batch, steps, momentum, lr, clip = 4, 128, 2500, 0.9, 0.05, 0.25
L = torch.tensor([[1.0, 0, 0, 0], [.6, .8, 0, 0], [0, .5, .7, 0], [.3, 0, -.4, .6]])
mu = torch.tensor([1.0, -1.0, 0.5, 2.0])


def reals(n):
    return mu + torch.randn(n, dim) @ L.T


class AffineGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.A = nn.Parameter(torch.eye(dim) + 0.1 * torch.randn(dim, dim))
        self.b = nn.Parameter(torch.zeros(dim))

    def forward(self, z):
        return z @ self.A.T + self.b


class Critic(nn.Module):
    def __init__(self, h=48):
        super().__init__()
        self.hidden = nn.Linear(dim, h)
        self.score = nn.Linear(h, 1)

    def forward(self, x):
        return self.score(nn.functional.leaky_relu(self.hidden(x), 0.2))

    @torch.no_grad()
    def clamp(self):
        for p in self.parameters():
            p.clamp_(-clip, clip)


gen, critic = AffineGenerator(), Critic()
opt_g = torch.optim.SGD(gen.parameters(), lr=lr, momentum=momentum)
opt_c = torch.optim.SGD(critic.parameters(), lr=lr, momentum=momentum)
trace, mean_track = [], []
for i in range(steps):
    c_loss = critic(gen(torch.randn(batch, dim)).detach()).mean() - critic(reals(batch)).mean()
    opt_c.zero_grad(); c_loss.backward(); opt_c.step()
    critic.clamp()
    g_loss = -critic(gen(torch.randn(batch, dim))).mean()
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
    if i > steps // 2 and i % 60 == 0:
        with torch.no_grad():
            trace.append(outside.energy(gen(torch.randn(500, dim)), reals(500)))
            mean_track.append([round(v, 2) for v in gen.b.tolist()[:2]])

print("mean of the samples:", mean_track[-8:])
e = float(np.mean(trace))
outside.say(e < 0.05, energy=e, worst=max(trace))
