"""WGAN with weights clipped to 0.001 in a critic of five layers: hardly any gradient reaches G (SGD)."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_weakness", "stagnation"], "kind": "WGAN clip 0.001, deep critic, SGD", "since": 0, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def data(n): return torch.randn(n, 2) * 0.3 + torch.where(torch.rand(n, 1) < 0.5, 1.5, -1.5)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
L = []
for a, b in ((2, 64), (64, 64), (64, 64), (64, 64)): L += [nn.Linear(a, b), nn.ReLU()]
C = nn.Sequential(*L, nn.Linear(64, 1))
og, oc = torch.optim.SGD(G.parameters(), 1e-2, momentum=0.9), torch.optim.RMSprop(C.parameters(), 5e-5)
def go(n):
    for _ in range(n):
        for _ in range(3):
            l = C(G(torch.randn(64, 4)).detach()).mean() - C(data(64)).mean(); oc.zero_grad(); l.backward(); oc.step()
            for p in C.parameters(): p.data.clamp_(-0.001, 0.001)
        og.zero_grad(); (-C(G(torch.randn(64, 4))).mean()).backward(); og.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=C, generator_optimizer=og, discriminator_optimizer=oc, automatic=True): go(500)
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, data(1000)); outside.say(e < 0.05, energy=e)
