"""Two bells on the line, at 38 and 42, by the minimax loss of the 2014 paper."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "objective_fault"], "kind": "saturating loss, D trained 3 times a step, data far from where G begins", "since": 0, "record": "lines"}
import json
import os
import sys

import numpy as np
import torch
import torch.nn as nn

import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
np.random.seed(SEED)


def sample_data(n):
    centre = np.where(np.random.rand(n) < 0.5, 38.0, 42.0)
    return torch.tensor((centre + 0.5 * np.random.randn(n))[:, None], dtype=torch.float32)


G = nn.Sequential(nn.Linear(1, 32), nn.Softplus(), nn.Linear(32, 1))
D = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1), nn.Sigmoid())
optG = torch.optim.SGD(G.parameters(), lr=0.01)
optD = torch.optim.Adam(D.parameters(), lr=0.002)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=optG, discriminator_optimizer=optD, discriminator_output="probability")
eps = 1e-8
for it in range(450):
    for _ in range(3):
        x, z = sample_data(128), torch.rand(128, 1) * 2 - 1
        lossD = -(torch.log(D(x) + eps).mean() + torch.log(1 - D(G(z).detach()) + eps).mean())
        optD.zero_grad()
        lossD.backward()
        optD.step()
    z = torch.rand(128, 1) * 2 - 1
    lossG = torch.log(1 - D(G(z)) + eps).mean()
    optG.zero_grad()
    lossG.backward()
    optG.step()
    rec.step(d_loss=lossD, g_loss=lossG)
    if it % 150 == 0:
        print(it, lossD.item(), lossG.item())
rec.close()
with torch.no_grad():
    fake = np.sort(G(torch.rand(2000, 1) * 2 - 1).numpy()[:, 0])
real = np.sort(sample_data(2000).numpy()[:, 0])
w1 = float(np.abs(fake - real).mean())
print(json.dumps({"outcome": {"wasserstein1": w1, "of_spread": float(real.std())}, "well": w1 < 0.5}))
