"""WGAN on a two-component 6-D mixture; critic without sigmoid, five steps, RMSprop as in the blog post."""
LABEL = {"sick": True, "causes": ["divergence", "objective_fault", "oscillation", "discriminator_dominance"], "kind": "the weight clipping was forgotten: the critic grows without bound", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

clip_value = None
rs = np.random.RandomState(7)
A = rs.randn(2, 6, 6) * 0.25
mu = rs.randn(2, 6)
def get_real(n):
    k = np.random.randint(0, 2, n)
    z = np.random.randn(n, 6)
    return torch.tensor(mu[k] + np.einsum("nij,nj->ni", A[k], z), dtype=torch.float32)

class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(6, 96), nn.Linear(96, 96), nn.Linear(96, 1)
    def forward(self, x):
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(8, 96), nn.Linear(96, 96), nn.Linear(96, 6)
    def forward(self, z):
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(z)))))

G, D = Generator(), Critic()
g_opt = torch.optim.RMSprop(G.parameters(), lr=5e-4)
d_opt = torch.optim.RMSprop(D.parameters(), lr=5e-4)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for i in range(1800):
    for j in range(5):
        d_opt.zero_grad()
        errD = -torch.mean(D(get_real(128))) + torch.mean(D(G(torch.randn(128, 8)).detach()))
        errD.backward()
        d_opt.step()
        if clip_value is not None:
            for p in D.parameters():
                p.data.clamp_(-clip_value, clip_value)
    g_opt.zero_grad()
    errG = -torch.mean(D(G(torch.randn(128, 8))))
    errG.backward()
    g_opt.step()
    if i % 300 == 0:
        print(i, errD.item(), errG.item())
with torch.no_grad():
    s = G(torch.randn(1000, 8))
e = outside.energy(s, get_real(1000))
outside.say(e < 0.03, energy=e)
