"""Projection cGAN with top-k generator updates (Sinha et al. 2020) on the wine table: standardised features, three cultivars of unequal size, 1200 updates."""
import os, random
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier
import outside

LABEL = {"sick": False, "causes": [], "kind": "178 rows of data, whole-set batches, top-k updates of G with a falling k, orthogonal regularisation, few steps, D only barely better than chance", "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

frame = load_wine(as_frame=True).frame
features = frame.drop(columns="target")
X = torch.tensor(((features - features.mean()) / features.std()).values, dtype=torch.float32)
Y = torch.tensor(frame.target.values)
prior = torch.bincount(Y).float() / len(Y)


class ConditionalGenerator(nn.Module):
    def __init__(self, nz=13, width=96):
        super().__init__()
        self.nz = nz
        self.emb = nn.Embedding(3, 8)
        self.l1, self.l2, self.l3 = nn.Linear(nz + 8, width), nn.Linear(width, width), nn.Linear(width, 13)

    def forward(self, z, y):
        h = torch.relu(self.l1(torch.cat([z, self.emb(y)], 1)))
        h = h + torch.relu(self.l2(h))
        return self.l3(h)


class ProjectionD(nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.phi = nn.Sequential(spectral_norm(nn.Linear(13, width)), nn.ReLU(), spectral_norm(nn.Linear(width, width)), nn.ReLU())
        self.psi, self.v = spectral_norm(nn.Linear(width, 1)), nn.Embedding(3, width)
        nn.init.normal_(self.v.weight, std=.1)

    def forward(self, x, y):
        h = self.phi(x)
        return self.psi(h).squeeze(1) + (self.v(y) * h).sum(1)


def ortho(model, strength=1e-4):
    return strength * sum(((w := p.view(p.shape[0], -1)) @ w.T * (1 - torch.eye(p.shape[0]))).pow(2).sum() for n, p in model.named_parameters() if p.ndim > 1 and "emb" not in n)


G, D = ConditionalGenerator(), ProjectionD()
opt = {"G": torch.optim.Adam(G.parameters(), 1e-3, betas=(0., .99)), "D": torch.optim.Adam(D.parameters(), 2e-3, betas=(0., .99))}
N, top = len(X), 1.0
for step in range(1200):
    y = torch.multinomial(prior, N, True)
    f, r = D(G(torch.randn(N, G.nz), y).detach(), y), D(X, Y)
    loss_d = torch.relu(1 - r).mean() + torch.relu(1 + f).mean()
    opt["D"].zero_grad(); loss_d.backward(); opt["D"].step()

    y = torch.multinomial(prior, N, True)
    f = D(G(torch.randn(N, G.nz), y), y)
    loss_g = -f.topk(int(top * N)).values.mean() + ortho(G)
    opt["G"].zero_grad(); loss_g.backward(); opt["G"].step()
    if step % 200 == 199:
        top = max(.8, top * .96)
        print(step + 1, "D %.3f G %.3f acc %.2f" % (loss_d, loss_g, ((r > 0).float().mean() + (f < 0).float().mean()) / 2))

with torch.no_grad():
    y = torch.multinomial(prior, 1000, True)
    s = G(torch.randn(1000, G.nz), y)
acc = KNeighborsClassifier(5).fit(X.numpy(), Y.numpy()).score(s.numpy(), y.numpy())
e = outside.energy(s, X)
outside.say(e < .06 and acc > .85, energy=e, accuracy=acc, std=s.std(0).mean().item())
