"""Class-conditional mixture in millimetres: projection discriminator, hinge loss."""
LABEL = {"sick": False, "causes": [], "kind": "data run over hundreds of units and G multiplies its output by 300 itself; D divides inside", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import outside
from gandiag.recording import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

K, NZ, BATCH, STEPS = 6, 6, 128, 2500
MM = 300.0
# each class: two blobs, symmetrical about its own centre
rng = np.random.RandomState(7)
CLASS_C = torch.tensor(rng.uniform(-500, 500, (K, 2)), dtype=torch.float32) + torch.tensor([800.0, -400.0])
CLASS_D = torch.tensor(rng.uniform(90, 160, (K, 2)), dtype=torch.float32)


def measure(y):
    side = (torch.randint(2, (len(y), 1)) * 2 - 1).float()
    return CLASS_C[y] + side * CLASS_D[y] + 25.0 * torch.randn(len(y), 2)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(K, 16)
        self.net = nn.Sequential(nn.Linear(NZ + 16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))

    def forward(self, z, y):
        return MM * self.net(torch.cat([z, self.emb(y)], 1))


class ProjectionD(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2))
        self.psi = nn.Linear(128, 1)
        self.emb = nn.Embedding(K, 128)
        nn.init.normal_(self.emb.weight, std=0.1)

    def forward(self, x, y):
        h = self.phi(x / MM)
        return self.psi(h).squeeze(1) + (self.emb(y) * h).sum(1)


G, D = Generator(), ProjectionD()
opt_g = torch.optim.Adam(G.parameters(), 3e-4, betas=(0.0, 0.9))
opt_d = torch.optim.Adam(D.parameters(), 6e-4, betas=(0.0, 0.9))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True)

for step in range(STEPS):
    for _ in range(2):
        y = torch.randint(K, (BATCH,))
        x = measure(y).requires_grad_(True)
        fake = G(torch.randn(BATCH, NZ), y).detach()
        real_score, fake_score = D(x, y), D(fake, y)
        slope = torch.autograd.grad(real_score.sum(), x, create_graph=True)[0] * MM
        d_loss = torch.relu(1 - real_score).mean() + torch.relu(1 + fake_score).mean() + 0.05 * slope.pow(2).sum(1).mean()
        opt_d.zero_grad(); d_loss.backward(); opt_d.step()
    y = torch.randint(K, (BATCH,))
    g_loss = -D(G(torch.randn(BATCH, NZ), y), y).mean()
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
    if step % 500 == 0:
        print(f"{step} d {d_loss.item():.3f} g {g_loss.item():.3f}")
recorder.close()

worst, sides = 0.0, 0
for k in range(K):
    y = torch.full((800,), k)
    with torch.no_grad():
        s = G(torch.randn(800, NZ), y)
    worst = max(worst, outside.energy(s, measure(y)))
    c = torch.stack([CLASS_C[k] - CLASS_D[k], CLASS_C[k] + CLASS_D[k]])
    sides += outside.modes(s, c, 100.0)[0]
outside.say(worst < 0.1 and sides >= 11, worst_class_energy=worst, blobs_of_12=sides)
