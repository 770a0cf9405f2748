"""Ring of five blobs; following the old ganhacks list, real is class 0 and fake is class 1."""
LABEL = {"sick": False, "causes": [], "kind": "labels the other way round, consistently, with soft and noisy labels; everything learnt", "since": 0, "record": "attach"}
import os, random, math
import numpy as np, torch, torch.nn as nn
import outside
SEED = int(os.environ.get("SEED", "0")); random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

K = 5
C = torch.tensor([[2 * math.cos(2 * math.pi * k / K), 2 * math.sin(2 * math.pi * k / K)] for k in range(K)])
def blobs(n): return C[torch.randint(K, (n,))] + .12 * torch.randn(n, 2)

G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
D = nn.Sequential(nn.Linear(2, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
bce = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(.5, .99))
optimizerG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(.5, .99))
real_label, fake_label = 0., 1.
N = 128
for i in range(3500):
    sigma = max(0.0, 0.3 * (1 - i / 2500))          # instance noise
    lr_k = min(1.0, (3500 - i) / 1000)
    optimizerG.param_groups[0]["lr"] = 1e-3 * lr_k
    D.zero_grad()
    label = torch.full((N, 1), real_label) + 0.1 * torch.rand(N, 1)
    x = (blobs(N) + sigma * torch.randn(N, 2)).requires_grad_(True)
    out = D(x)
    errD_real = bce(out, label)
    slope = torch.autograd.grad(out.sum(), x, create_graph=True)[0]
    (errD_real + 0.1 * slope.pow(2).sum(1).mean()).backward()
    fake = G(torch.randn(N, 8))
    label = torch.full((N, 1), fake_label) - 0.1 * torch.rand(N, 1)
    errD_fake = bce(D(fake.detach() + sigma * torch.randn(N, 2)), label)
    errD_fake.backward()
    optimizerD.step()
    G.zero_grad()
    errG = bce(D(fake + sigma * torch.randn(N, 2)), torch.full((N, 1), real_label))
    errG.backward()
    optimizerG.step()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
m, q = outside.modes(s, C, 0.5)
outside.say(m == K and q > .8, modes=m, near=q, energy=outside.energy(s, blobs(1000)))
