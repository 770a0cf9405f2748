"""MAD-GAN: four makers share one trunk's end; the discriminator names the maker of a sample or calls it real (five classes)."""
LABEL = {"sick": False, "causes": [], "kind": "well: four generators, discriminator with five classes (the last is real), cross entropy, accumulated gradients", "since": None, "record": "automatic"}
import math, os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
K, NZ, MICRO, ACC = 4, 6, 48, 2

a = torch.arange(8) * math.pi / 4
centres = torch.stack([1.8 * a.cos(), 1.8 * a.sin(), 0.8 * (2 * a).cos()], 1)
def sample(n):
    k = torch.randint(8, (n,))
    return centres[k] + 0.15 * torch.randn(n, 3)

class Makers(nn.Module):
    def __init__(self):
        super().__init__()
        self.own = nn.ModuleList(nn.Sequential(nn.Linear(NZ, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()) for _ in range(K))
        self.shared = nn.Linear(64, 3)
    def forward(self, z):
        parts = z.chunk(K)
        return torch.cat([self.shared(m(p)) for m, p in zip(self.own, parts)])

D = nn.Sequential(nn.Linear(3, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, K + 1))
G = Makers()
opt_g = torch.optim.Adam(G.parameters(), 4e-4, betas=(0.0, 0.99))
opt_d = torch.optim.Adam(D.parameters(), 8e-4, betas=(0.0, 0.99))
maker = torch.arange(K).repeat_interleave(MICRO // K)
REAL = torch.full((MICRO,), K)

def iterate():
    opt_d.zero_grad()
    for _ in range(ACC):
        with torch.no_grad():
            f = G(torch.randn(MICRO, NZ))
        r = sample(MICRO).requires_grad_(True)
        out = D(r)
        slope, = torch.autograd.grad(out.log_softmax(1)[:, K].sum(), r, create_graph=True)
        ((F.cross_entropy(out, REAL) + F.cross_entropy(D(f), maker) + 0.2 * slope.pow(2).sum(1).mean()) / ACC).backward()
    opt_d.step()
    opt_g.zero_grad()
    for _ in range(ACC):
        (F.cross_entropy(D(G(torch.randn(MICRO, NZ))), REAL) / ACC).backward()
    opt_g.step()

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d, automatic=True):
    for it in range(1100):
        iterate()

with torch.no_grad():
    s = G(torch.randn(2000, NZ))[torch.randperm(2000)]
n, near = outside.modes(s, centres, 0.6)
e = outside.energy(s, sample(1000))
outside.say(n >= 7 and near > 0.7 and e < 0.04, modes=n, near=near, energy=e)
