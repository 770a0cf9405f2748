"""The GAN of the 2014 paper, algorithm 1 written out as in the book, for soft spots on an 8x8 sensor."""
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "stagnation"], "kind": "the saturating loss log(1 - D(G(z))) with k = 5 quick Adam discriminator steps: D is sure at once and the generator, under SGD with momentum as in the paper, gets no gradient", "since": 0, "record": "attach", "doubt": "the fault is the whole recipe (loss, k = 5, SGD for G): changing only the loss and k does not heal it, with Adam for G and more iterations as well it does"}

import os
import torch
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

m = 64             # minibatch size
k = 5              # discriminator steps per generator step
iterations = 1500
EPS = 1e-7


def p_data(n):
    """A spot of light: place, width and strength are random."""
    i = torch.arange(8.0)
    row, col = torch.meshgrid(i, i, indexing="ij")
    r0, c0 = 2 + 3 * torch.rand(2, n, 1, 1)
    width = 1.0 + 0.8 * torch.rand(n, 1, 1)
    strength = 0.7 + 0.3 * torch.rand(n, 1, 1)
    spot = strength * torch.exp(-((row - r0) ** 2 + (col - c0) ** 2) / (2 * width ** 2))
    return spot.reshape(n, 64)


def p_z(n):
    return 2 * torch.rand(n, 10) - 1


G = torch.nn.Sequential(
    torch.nn.Linear(10, 128), torch.nn.ReLU(),
    torch.nn.Linear(128, 128), torch.nn.ReLU(),
    torch.nn.Linear(128, 64), torch.nn.Sigmoid())

D = torch.nn.Sequential(
    torch.nn.Linear(64, 128), torch.nn.LeakyReLU(0.1),
    torch.nn.Linear(128, 128), torch.nn.LeakyReLU(0.1),
    torch.nn.Linear(128, 1), torch.nn.Sigmoid())

opt_D = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_G = torch.optim.SGD(G.parameters(), lr=0.05, momentum=0.9)

for t in range(iterations):
    for _ in range(k):
        z = p_z(m)
        x = p_data(m)
        # ascend: 1/m sum log D(x) + log(1 - D(G(z)))
        V = (torch.log(D(x) + EPS) + torch.log(1 - D(G(z).detach()) + EPS)).mean()
        opt_D.zero_grad()
        (-V).backward()
        opt_D.step()
    z = p_z(m)
    # descend: 1/m sum log(1 - D(G(z)))
    U = torch.log(1 - D(G(z)) + EPS).mean()
    opt_G.zero_grad()
    U.backward()
    opt_G.step()
    if t % 300 == 0:
        print(f"t={t} V={V.item():.4f} U={U.item():.6f}")

with torch.no_grad():
    samples = G(p_z(1000))
e = outside.energy(samples, p_data(1000))
brightness = samples.sum(1).mean().item() / p_data(1000).sum(1).mean().item()
outside.say(e < 0.08, energy=e, brightness=brightness)
