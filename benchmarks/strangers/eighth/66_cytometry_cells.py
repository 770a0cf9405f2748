"""GAN for flow-cytometry events: 10 markers, 8 cell populations."""
# (the generator always lagged behind in my first runs, hence the inner loop)
import os, sys, random, itertools
import numpy as np, torch
import torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["mode_collapse", "mode_dropping", "discriminator_weakness", "oscillation"],
         "kind": "ten generator updates for each discriminator update: G collapses on the population of the moment",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED)
torch.set_num_threads(1)

rng = np.random.RandomState(5)
populations = np.array(list(itertools.product([-1, 1], repeat=3))) @ np.linalg.qr(rng.randn(10, 10))[0][:3] * 1.3
events = np.concatenate([p + 0.15 * rng.randn(1500, 10) for p in populations]).astype(np.float32)
rng.shuffle(events)
events = torch.as_tensor(events)

nz = 12
G = nn.Sequential(nn.Linear(nz, 80), nn.GELU(), nn.Linear(80, 80), nn.GELU(), nn.Linear(80, 10))
D = nn.Sequential(nn.Linear(10, 80), nn.GELU(), nn.Linear(80, 80), nn.GELU(), nn.Linear(80, 1))
g_opt = torch.optim.RMSprop(G.parameters(), lr=1e-3)
d_opt = torch.optim.RMSprop(D.parameters(), lr=1e-3)

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D,
                       generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

gen_steps_per_disc = 10
B = 96
for it in range(4000 // gen_steps_per_disc):
    real = events[torch.randint(0, len(events), (B,))]
    with torch.no_grad():
        fake = G(torch.randn(B, nz))
    out = D(torch.cat([real, fake]))
    target = torch.cat([torch.ones(B, 1), torch.zeros(B, 1)])
    d_loss = F.binary_cross_entropy_with_logits(out, target)
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()
    for _ in range(gen_steps_per_disc):
        g_loss = F.binary_cross_entropy_with_logits(D(G(torch.randn(B, nz))), torch.ones(B, 1))
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
rec.close()

with torch.no_grad():
    new = G(torch.randn(1600, nz))
found, near = outside.modes(new, populations, 1.3)
e = outside.energy(new, events[torch.randperm(len(events))[:1000]])
outside.say(found >= 7 and near > 0.7 and e < 0.03, populations=found, near=near, energy=e)
