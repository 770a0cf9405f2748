"""WGAN homework part (b): clipped critic, RMSprop, five critic steps, on a noisy spiral."""
LABEL = {"sick": False, "causes": [], "kind": "WGAN with weight clipping; tiny critic outputs, losses that hardly move", "since": None, "record": "automatic"}
import os, sys, random, math
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

class Spiral:
    def sample(self, n):
        t = torch.sqrt(torch.rand(n)) * 2.2 * math.pi + 0.8
        xy = torch.stack([t * torch.cos(t), t * torch.sin(t)], 1) / 4.0
        return xy + 0.08 * torch.randn(n, 2)

class Net(nn.Module):
    def __init__(self, n_in, n_out, width, depth=3):
        super().__init__()
        layers = []
        for k in range(depth):
            layers += [nn.Linear(n_in if k == 0 else width, width), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, n_out)
    def forward(self, x):
        return self.head(self.body(x))

spiral = Spiral()
G = Net(8, 2, 96)
D = Net(2, 1, 96)
g_opt = torch.optim.RMSprop(G.parameters(), lr=4e-4)
d_opt = torch.optim.RMSprop(D.parameters(), lr=4e-4)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

CLIP, N_CRITIC, B = 0.1, 5, 128
for it in range(1, 2001):
    for k in range(N_CRITIC):
        d_opt.zero_grad()
        loss_d = -(D(spiral.sample(B)).mean() - D(G(torch.randn(B, 8)).detach()).mean())
        loss_d.backward()
        d_opt.step()
        with torch.no_grad():
            for w in D.parameters():
                w.clamp_(-CLIP, CLIP)
    g_opt.zero_grad()
    loss_g = -D(G(torch.randn(B, 8))).mean()
    loss_g.backward()
    g_opt.step()

with torch.no_grad():
    s = G(torch.randn(1000, 8))
e = outside.energy(s, spiral.sample(1000))
outside.say(e < 0.03, energy=e)
