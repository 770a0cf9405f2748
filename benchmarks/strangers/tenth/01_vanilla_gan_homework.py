"""CS236-style homework 3, problem 1: the original GAN (Goodfellow et al., algorithm 1) on 8x8 digits."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "learning_rate", "objective_fault"],
         "kind": "saturating minimax loss log(1-D) with a D whose rate is far too high (1e-2, G 5e-4), four updates a step: D is sure at once and G gets no gradient", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

X, _ = outside.digits()
X = X.view(len(X), -1)


def sample_data(n):
    return X[torch.randint(0, len(X), (n,))]


G = nn.Sequential(nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
D = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1), nn.Sigmoid())
g_opt = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-2, betas=(0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, discriminator_output="probability")

k = 4
eps = 1e-8
for it in range(700):
    for _ in range(k):
        x, z = sample_data(64), torch.randn(64, 20)
        d_loss = -(torch.log(D(x) + eps) + torch.log(1 - D(G(z).detach()) + eps)).mean()
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
    z = torch.randn(64, 20)
    g_loss = torch.log(1 - D(G(z)) + eps).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if it % 200 == 0:
        print(it, d_loss.item(), g_loss.item())
rec.close()

with torch.no_grad():
    fake = G(torch.randn(1000, 20))
e = outside.energy(fake, sample_data(1000))
classes, dist, _ = outside.digit_quality(fake)
outside.say(e < 0.1, energy=e, classes=classes, distance=dist)
