"""Grid of nine points, instance noise on what the discriminator sees, annealed to zero."""
import os, sys
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "mode_collapse"],
         "kind": "instance noise is annealed by an integer division: it stays at full strength and hides the modes from D", "since": 0,
         "record": "automatic"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
axis = torch.tensor([-1.2, 0.0, 1.2])
CENTRES = torch.cartesian_prod(axis, axis)

def grid(n):
    return CENTRES[torch.randint(9, (n,))] + 0.1 * torch.randn(n, 2)

def annealer(total, start=2.0):
    def noisy(x, step):
        sigma = start * max(0, 1 - (step // total) / 0.6)
        return x + sigma * torch.randn_like(x)
    return noisy

def make_player(inputs, outputs, lr):
    net = nn.Sequential(nn.Linear(inputs, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU(),
            nn.Linear(160, outputs))
    return net, torch.optim.RMSprop(net.parameters(), lr=lr, alpha=0.99)

def train(G, D, og, od, steps=2000, batch=128):
    noisy = annealer(total=steps)
    for step in range(steps):
        for o in (og, od):
            o.param_groups[0]["lr"] = 6e-4 if step < 0.7 * steps else 2e-4
        fake = G(torch.randn(batch, 6))
        x = noisy(grid(batch), step).requires_grad_()
        score, against = D(x), D(noisy(fake.detach(), step))
        slope = torch.autograd.grad(score.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
        d_loss = nn.functional.softplus(-score).mean() + nn.functional.softplus(against).mean() + 0.02 * slope
        od.zero_grad(); d_loss.backward(); od.step()
        g_loss = nn.functional.softplus(-D(noisy(fake, step))).mean()
        og.zero_grad(); g_loss.backward(); og.step()

G, og = make_player(6, 2, 6e-4)
D, od = make_player(2, 1, 6e-4)
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    train(G, D, og, od)
with torch.no_grad():
    s = G(torch.randn(2000, 6))
found, near = outside.modes(s, CENTRES, 0.35)
e = outside.energy(s, grid(1000))
outside.say(found == 9 and near > 0.75 and e < 0.015, modes=found, near=near, energy=e)
