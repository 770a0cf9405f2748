"""Six clouds in the plane; every draw goes through one seeded helper, so that runs can be repeated to the last digit."""
import math, os
import torch
import torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation", "discriminator_overfitting"],
         "kind": "the noise helper seeds the global generator at each call: the same latents and, drawn after "
                 "them, the same reals at every step",
         "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
angles = 2 * math.pi * torch.arange(6) / 6
CENTRES = torch.stack([angles.cos(), angles.sin()], 1) * 1.5

def clouds(n):
    return CENTRES[torch.randint(6, (n,))] + 0.2 * torch.randn(n, 2)

def latent(n, size=6, seed=SEED):
    torch.manual_seed(seed)
    return torch.randn(n, size)

def build(i, o, w=128, depth=3):
    layers = [nn.Linear(i, w), nn.LeakyReLU(0.2)]
    for _ in range(depth - 1):
        layers += [nn.Linear(w, w), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(w, o))

generator, discriminator = build(6, 2), build(2, 1)
g_adam = torch.optim.Adam(generator.parameters(), lr=7e-4, betas=(0.0, 0.99))
d_adam = torch.optim.Adam(discriminator.parameters(), lr=7e-4, betas=(0.0, 0.99))
n = 32
for step in range(2000):
    for o in (g_adam, d_adam):
        o.param_groups[0]["lr"] = 7e-4 * min(1.0, 0.05 + 2 * (1 - step / 2000))
    fake = generator(latent(n))
    real = clouds(n).requires_grad_()
    score = discriminator(real)
    slope, = torch.autograd.grad(score.sum(), real, create_graph=True)
    loss = nn.functional.softplus(-score).mean() + nn.functional.softplus(discriminator(fake.detach())).mean()
    loss = loss + 0.1 * slope.pow(2).sum(1).mean()
    d_adam.zero_grad()
    loss.backward()
    d_adam.step()
    loss = nn.functional.softplus(-discriminator(fake)).mean()
    g_adam.zero_grad()
    loss.backward()
    g_adam.step()
torch.manual_seed(SEED + 1)
with torch.no_grad():
    s = generator(torch.randn(1000, 6))
found, near = outside.modes(s, CENTRES, 0.6)
e = outside.energy(s, clouds(1000))
outside.say(found == 6 and near > 0.85 and e < 0.015, modes=found, near=near, energy=e)
