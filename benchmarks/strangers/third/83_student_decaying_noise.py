"""Student-t losses after asinh, instance noise that decays to nothing, non-saturating."""
LABEL = {"sick": False, "causes": [], "kind": "sound: heavy tails transformed, annealed noise on both inputs of D", "since": None, "record": "automatic"}
import json, os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
student = torch.distributions.StudentT(3.0)


def losses(n):
    common = student.sample((n, 1))
    return torch.asinh(0.7 * common + 0.5 * student.sample((n, 3)) + torch.tensor([0.5, 0.0, -0.5]))


G = nn.Sequential(nn.Linear(6, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 3))
D = nn.Sequential(nn.Linear(3, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
trick = {"G": torch.optim.Adam(G.parameters(), 2e-3, betas=(0.0, 0.99)), "D": torch.optim.Adam(D.parameters(), 2e-3, betas=(0.0, 0.99))}
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=trick["G"], discriminator_optimizer=trick["D"], automatic=True)
STEPS = 900
for step in range(STEPS):
    sigma = 0.4 * max(0.0, 1 - step / (0.8 * STEPS))
    noisy = lambda v: v + sigma * torch.randn_like(v)
    for optimizer in trick.values():
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - 0.85 * step / STEPS)
    y = G(torch.randn(150, 6))
    trick["D"].zero_grad()
    x = noisy(losses(150)).requires_grad_()
    r = D(x)
    slope = torch.autograd.grad(r.sum(), x, create_graph=True)[0].square().sum(1).mean()
    (F.softplus(-r).mean() + F.softplus(D(noisy(y.detach()))).mean() + 0.05 * slope).backward()
    trick["D"].step()
    trick["G"].zero_grad()
    F.softplus(-D(noisy(y))).mean().backward()
    trick["G"].step()
rec.close()
with torch.no_grad():
    s, r, q = G(torch.randn(1200, 6)), losses(1200), losses(1200)
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, r), "reals_to_reals": e(q, r)}, "well": e(s, r) < 0.04}))
