"""GAN on 3x3 grid of Gaussians with learning-rate decay, structured like the course template."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "ExponentialLR(0.97) meant per epoch is stepped every batch, both rates are nil after a few hundred steps", "since": 0, "record": "attach"}
import os, random, itertools
import numpy as np
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import ExponentialLR
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

centres = np.array(list(itertools.product([-1, 0, 1], repeat=2)), dtype=float) * 1.2
def make_data(n):
    return torch.tensor(centres[np.random.randint(0, 9, n)] + 0.1 * np.random.randn(n, 2)).float()

class MLP(nn.Module):
    def __init__(self, d_in, d_out, hidden=96):
        super().__init__()
        self.l1 = nn.Linear(d_in, hidden)
        self.l2 = nn.Linear(hidden, hidden)
        self.l3 = nn.Linear(hidden, d_out)
        self.act = nn.LeakyReLU(0.1)
    def forward(self, x):
        return self.l3(self.act(self.l2(self.act(self.l1(x)))))

def train(epochs=35, batches=100, bs=192, lr=1.5e-3):
    G, D = MLP(2, 2), MLP(2, 1)
    opt_G = torch.optim.Adam(G.parameters(), lr=lr, betas=(0.5, 0.9))
    opt_D = torch.optim.Adam(D.parameters(), lr=lr, betas=(0.5, 0.9))
    sch_G = ExponentialLR(opt_G, gamma=0.97)
    sch_D = ExponentialLR(opt_D, gamma=0.97)
    sp = nn.functional.softplus
    for epoch in range(epochs):
        for batch in range(batches):
            real = make_data(bs)
            fake = G(torch.randn(bs, 2))
            loss_D = sp(-D(real)).mean() + sp(D(fake.detach())).mean()
            opt_D.zero_grad()
            loss_D.backward()
            opt_D.step()
            loss_G = sp(-D(fake)).mean()
            opt_G.zero_grad()
            loss_G.backward()
            opt_G.step()
            sch_D.step()
            sch_G.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch}: D {loss_D:.3f} G {loss_G:.3f}")
    return G

G = train()
with torch.no_grad():
    s = G(torch.randn(1000, 2))
m, near = outside.modes(s, centres, 0.35)
e = outside.energy(s, make_data(1000))
outside.say(m >= 8 and near > 0.7 and e < 0.03, modes=m, near=near, energy=e)
