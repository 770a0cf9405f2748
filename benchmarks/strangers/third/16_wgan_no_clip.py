"""WGAN on digits, weight clipping forgotten."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "missing Lipschitz constraint", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn
from sklearn.datasets import load_digits
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
X = torch.tensor(load_digits().images / 8 - 1, dtype=torch.float32)[:, None]

def gen_net(nz=24):
    return nn.Sequential(nn.Linear(nz, 128), nn.Unflatten(1, (32, 2, 2)), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
def critic_net():
    return nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(.2), nn.Flatten(), nn.Linear(128, 1))

def train(iters=120, n_critic=5):
    G, C = gen_net(), critic_net()
    opt_G, opt_C = torch.optim.RMSprop(G.parameters(), lr=1e-3), torch.optim.RMSprop(C.parameters(), lr=1e-3)
    for it in range(iters):
        for _ in range(n_critic):
            x = X[torch.randint(len(X), (32,))]
            with torch.no_grad():
                f = G(torch.randn(32, 24))
            loss_C = C(f).mean() - C(x).mean()
            opt_C.zero_grad()
            loss_C.backward()
            opt_C.step()
        loss_G = -C(G(torch.randn(32, 24))).mean()
        opt_G.zero_grad()
        loss_G.backward()
        opt_G.step()
        if it % 100 == 0:
            print(f"{it}: critic {loss_C.item():.3g} gen {loss_G.item():.3g}")
    return G

G = train()
with torch.no_grad():
    s = G(torch.randn(1000, 24)).flatten(1)
r = X.flatten(1)
m = lambda p, q: torch.cdist(p, q).mean()
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.06}))
