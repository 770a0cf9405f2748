"""A GAN: gamma 1d labels."""
import os, sys, random
import numpy as np
import torch, torch.nn as nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "G is trained with the 'fake' label too: both players pull D(fake) to 0", "since": 0, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

# ---- data: waiting times, a mixture of two gamma laws
def get_real(m):
    u = np.random.rand(m, 1) < 0.6
    v = np.where(u, np.random.gamma(9.0, 0.25, (m, 1)), np.random.gamma(60.0, 0.1, (m, 1)))
    return torch.Tensor(v)

def get_noise(m):
    return torch.rand(m, 3)

class Generator(nn.Module):
    def __init__(self, d_in, d_hidden, d_out):
        super(Generator, self).__init__()
        self.map1 = nn.Linear(d_in, d_hidden)
        self.map2 = nn.Linear(d_hidden, d_hidden)
        self.map3 = nn.Linear(d_hidden, d_out)
    def forward(self, x):
        x = torch.tanh(self.map1(x))
        x = torch.nn.functional.elu(self.map2(x))
        return self.map3(x)

class Discriminator(nn.Module):
    def __init__(self, d_in, d_hidden):
        super(Discriminator, self).__init__()
        self.map1 = nn.Linear(d_in, d_hidden)
        self.map2 = nn.Linear(d_hidden, d_hidden)
        self.map3 = nn.Linear(d_hidden, 1)
    def forward(self, x):
        x = torch.nn.functional.leaky_relu(self.map1(x))
        x = torch.nn.functional.leaky_relu(self.map2(x))
        return torch.sigmoid(self.map3(x))

G = Generator(3, 32, 1)
D = Discriminator(1, 32)
criterion = nn.BCELoss()
d_optimizer = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
g_optimizer = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
M = 100
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_optimizer,
                       discriminator_optimizer=d_optimizer, discriminator_output="probability")
labels_real = torch.ones(M, 1)
labels_fake = torch.zeros(M, 1)

for epoch in range(2200):
    D.zero_grad()
    d_real_error = criterion(D(get_real(M)), labels_real)
    d_fake_error = criterion(D(G(get_noise(M)).detach()), labels_fake)
    (d_real_error + d_fake_error).backward()
    d_optimizer.step()

    G.zero_grad()
    dg_fake_decision = D(G(get_noise(M)))
    g_error = criterion(dg_fake_decision, labels_fake)
    g_error.backward()
    g_optimizer.step()
    rec.step(d_loss=d_real_error + d_fake_error, g_loss=g_error)
rec.close()

with torch.no_grad():
    s = G(get_noise(1000))
e = outside.energy(s, get_real(1000))
outside.say(e < 0.08, energy=e, mean=float(s.mean()))
