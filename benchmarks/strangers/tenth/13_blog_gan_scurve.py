"""Blog gan scurve."""
# "Build a GAN in 60 lines" -- blog post, part 2: learning a letter S
LABEL = {"sick": True, "causes": ["objective_fault", "oscillation", "divergence", "learning_rate"],
         "kind": "no zero_grad for the discriminator: its gradients pile up over all steps", "since": 0, "record": "lines"}
import os
import random
import sys
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_s_curve
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def get_data(n, seed):
    pts, _ = make_s_curve(n, noise=0.08, random_state=seed)
    return torch.tensor(pts[:, [0, 2]], dtype=torch.float32)


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(5, 50), nn.Linear(50, 50), nn.Linear(50, 2)
        self.bn = nn.BatchNorm1d(50)

    def forward(self, z):
        z = torch.relu(self.fc1(z))
        z = torch.relu(self.bn(self.fc2(z)))
        return self.fc3(z)


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(2, 60), nn.Linear(60, 60), nn.Linear(60, 1)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return torch.sigmoid(self.fc3(x))


data = get_data(3000, SEED)
g, d = G(), D()
g_opt = torch.optim.Adam(g.parameters(), lr=0.001, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(d.parameters(), lr=0.001, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=g, discriminator=d, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, discriminator_output="probability")
loss_function = nn.BCELoss()

for step in range(2000):
    real = data[torch.randint(0, 3000, (80,))]
    fake = g(torch.randn(80, 5)).detach()
    out = d(torch.cat([real, fake]))
    d_loss = loss_function(out, torch.cat([torch.ones(80, 1), torch.zeros(80, 1)]))
    d_loss.backward()
    d_opt.step()

    g_opt.zero_grad()
    for p in d.parameters():
        p.requires_grad_(False)
    g_loss = loss_function(d(g(torch.randn(80, 5))), torch.ones(80, 1))
    g_loss.backward()
    g_opt.step()
    for p in d.parameters():
        p.requires_grad_(True)

    rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    if step % 500 == 0:
        print("step", step, "d", d_loss.item(), "g", g_loss.item())
rec.close()

with torch.no_grad():
    e = outside.energy(g(torch.randn(1000, 5)), get_data(1000, SEED + 100))
outside.say(e < 0.05, energy=e)
