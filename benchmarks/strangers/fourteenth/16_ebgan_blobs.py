"""Energy-based GAN: the discriminator is an autoencoder and its 'logit' a reconstruction error (soft blobs, 8x8)."""
LABEL = {"sick": False, "causes": [], "kind": "the discriminator is an autoencoder with a margin: small for real, the outputs are no logits, losses look strange", "since": None, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

def blobs(n):
    g = torch.arange(8.0)
    cx, cy = 2 + 3.5 * torch.rand(2, n, 1, 1)
    s = 0.9 + 0.9 * torch.rand(n, 1, 1)
    return (2 * torch.exp(-((g[None, None] - cx) ** 2 + (g[None, :, None] - cy) ** 2) / (2 * s ** 2)) - 1).flatten(1)

class AEDisc(nn.Module):
    """energy = mean squared reconstruction error"""
    def __init__(self, code=12):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 96), nn.LeakyReLU(0.1), nn.Linear(96, code))
        self.dec = nn.Sequential(nn.Linear(code, 96), nn.LeakyReLU(0.1), nn.Linear(96, 64))
    def forward(self, x):
        c = self.enc(x)
        return ((self.dec(c) - x) ** 2).mean(1), c

def pull_away(c):
    c = F.normalize(c, dim=1)
    sim = (c @ c.t()) ** 2
    n = len(c)
    return (sim.sum() - sim.diagonal().sum()) / (n * (n - 1))

nz, B, MARGIN = 8, 64, 0.1
G = nn.Sequential(nn.Linear(nz, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())
D = AEDisc()
opt_g = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.99))

for step in range(3500):
    x = blobs(B)
    f = G(torch.randn(B, nz))
    er, _ = D(x)
    ef, _ = D(f.detach())
    loss_d = er.mean() + F.relu(MARGIN - ef).mean()
    opt_d.zero_grad(); loss_d.backward(); opt_d.step()

    ef, code = D(f)
    loss_g = ef.mean() + 0.02 * pull_away(code)
    opt_g.zero_grad(); loss_g.backward(); opt_g.step()
    if step % 500 == 0:
        print(f"{step:5d}  E(real) {er.mean().item():.4f}  E(fake) {ef.mean().item():.4f}  D {loss_d.item():.4f}")

with torch.no_grad():
    s = G(torch.randn(1000, nz))
e = outside.energy(s, blobs(1000))
spread = (s.std(0).mean() / blobs(1000).std(0).mean()).item()
outside.say(e < 0.08 and 0.75 < spread < 1.3, energy=e, spread=spread)
