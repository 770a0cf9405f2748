"""A checkerboard by a loop that trains whoever 'is behind'."""
LABEL = {"sick": True, "causes": ["discriminator_dominance", "stagnation", "objective_fault"], "kind": "home-made balance rule: G is only updated when D's accuracy is below 0.6, which stops happening", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


def checkerboard(n):
    a = torch.randint(4, (n,))
    b = 2 * torch.randint(2, (n,)) + a % 2
    return torch.stack([a + torch.rand(n), b + torch.rand(n)], 1) - 2


def block(i, o):
    return [nn.Linear(i, o), nn.LeakyReLU(0.2)]


G = nn.Sequential(*block(4, 64), *block(64, 64), nn.Linear(64, 2))
D = nn.Sequential(*block(2, 64), *block(64, 64), nn.Linear(64, 1))
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
recorder = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_G, discriminator_optimizer=opt_D)
accuracy, g_updates = 0.5, 0
for step in range(650):
    real, fake = checkerboard(128), G(torch.randn(128, 4))
    r, f = D(real), D(fake.detach())
    d_loss = F.softplus(-r).mean() + F.softplus(f).mean()
    opt_D.zero_grad(); d_loss.backward(); opt_D.step()
    accuracy = 0.5 * ((r > 0).float().mean() + (f < 0).float().mean()).item()
    g_loss = F.softplus(-D(fake)).mean()
    if accuracy < 0.6:
        opt_G.zero_grad(); g_loss.backward(); opt_G.step()
        g_updates += 1
    recorder.step(d_loss=d_loss, g_loss=g_loss)
recorder.close()
s, r = G(torch.randn(1000, 4)).detach(), checkerboard(1000)
e = float((2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())
print(json.dumps({"outcome": {"energy": e, "g_updates": g_updates}, "well": e < 0.06}))
