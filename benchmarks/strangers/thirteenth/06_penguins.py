"""Sampling penguin-like body measures, with an accuracy check of D on held-out rows every 300 iterations."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"], "kind": "the validation switches requires_grad of D off and nobody switches it on again (the D loss still runs backward, through the undetached fake), so D is frozen from the first check on", "since": 300, "record": "automatic"}
import os, random, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

CENTRES = np.array([[-1.2, .9, -.8, -.7], [-1.0, .2, .3, 1.1], [.9, .9, -.6, .1], [.2, -1.2, 1.2, .8], [1.2, -.7, -.2, -1.1], [-.3, -.9, -1.2, .2]])


def rows(n, seed):
    r = np.random.default_rng(seed)
    return torch.tensor(CENTRES[r.integers(6, size=n)] + r.normal(0, .25, (n, 4)), dtype=torch.float32)


train_rows, val_rows = rows(4000, 1), rows(500, 2)


def set_requires_grad(nets, requires_grad=False):
    for net in nets if isinstance(nets, list) else [nets]:
        for p in net.parameters():
            p.requires_grad = requires_grad


def make(i, o, act):
    return nn.Sequential(nn.Linear(i, 128), act, nn.Linear(128, 128), act, nn.Linear(128, o))


G, D = make(8, 4, nn.ReLU()), make(4, 1, nn.LeakyReLU(0.2))
g_opt = torch.optim.Adam(G.parameters(), lr=4e-4, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(D.parameters(), lr=4e-4, betas=(0.5, 0.9))


def validate():
    set_requires_grad(D, False)
    real_ok = (D(val_rows) > 0).float().mean()
    fake_ok = (D(G(torch.randn(500, 8)).detach()) < 0).float().mean()
    return real_ok.item(), fake_ok.item()


def bce(s, target):
    return F.binary_cross_entropy_with_logits(s, torch.full_like(s, target))


gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

for step in range(1, 3501):
    real = train_rows[torch.randint(4000, (128,))]
    fake = G(torch.randn(128, 8))
    d_opt.zero_grad()
    d_loss = bce(D(real), 0.9) + bce(D(fake), 0.0)
    d_loss.backward(retain_graph=True)
    d_opt.step()

    fake = G(torch.randn(128, 8))
    g_opt.zero_grad()
    g_loss = bce(D(fake), 1.0)
    g_loss.backward()
    g_opt.step()

    if step % 300 == 0:
        a, b = validate()
        print(f"step {step}: d {d_loss.item():.3f} g {g_loss.item():.3f} | val acc real {a:.2f} fake {b:.2f}")

with torch.no_grad():
    f = G(torch.randn(1000, 8))
k, near = outside.modes(f, CENTRES, 0.9)
outside.say(k == 6 and near > 0.75, modes=k, near=near, energy=outside.energy(f, val_rows))
