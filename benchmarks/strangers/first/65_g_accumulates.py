"""Ring of eight; a typing slip zeroes D's optimizer in G's step too, so G's gradients add up for ever."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["objective_fault", "oscillation", "mode_collapse"], "kind": "missing zero_grad of G", "since": 0, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
a = torch.arange(8) * math.pi / 4; C = 2 * torch.stack([a.cos(), a.sin()], 1); get = lambda n=128: C[torch.randint(8, (n,))] + 0.05 * torch.randn(n, 2)
generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); discriminator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
g_opt, d_opt = torch.optim.Adam(generator.parameters(), 5e-4, (0.5, 0.999)), torch.optim.Adam(discriminator.parameters(), 1e-3, (0.5, 0.999)); bce = nn.BCEWithLogitsLoss(); one, zero = torch.ones(128, 1), torch.zeros(128, 1)
def train_discriminator(): d_opt.zero_grad(); (bce(discriminator(get()), one) + bce(discriminator(generator(torch.randn(128, 8)).detach()), zero)).backward(); d_opt.step()
def train_generator(): d_opt.zero_grad(); bce(discriminator(generator(torch.randn(128, 8))), one).backward(); g_opt.step()
with gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True):
    for _ in range(900): train_discriminator(); train_generator()
with torch.no_grad(): f = generator(torch.randn(1000, 8))
m, g = outside.modes(f, C, 0.3); outside.say(m >= 7, modes=m, good=g, energy=outside.energy(f, get(1000)))
