"""Ring."""
import numpy as np, torch, os, sys, random
import torch.nn as nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["mode_collapse", "discriminator_weakness"], "kind": "G is trained fifteen times for each step of D ('my D was too good'): it hops from mode to mode",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

# mixture of 8 gaussians on a ring, as in Unrolled GAN
theta = np.arange(8) * np.pi / 4
centres = 2 * np.stack([np.cos(theta), np.sin(theta)], 1)
std = 0.1
def sample_real(n):
    return torch.tensor(centres[np.random.randint(8, size=n)] + std * np.random.randn(n, 2), dtype=torch.float)

z_dim = 10; bsize = 96
G = nn.Sequential(nn.Linear(z_dim, 100), nn.Tanh(), nn.Linear(100, 100), nn.Tanh(), nn.Linear(100, 2))
D = nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(.5, .999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(.5, .999))
crit = nn.BCEWithLogitsLoss()
one = torch.ones(bsize, 1); zero = torch.zeros(bsize, 1)
g_steps = 15
d_steps = 1
total_g = 2400

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
done = 0
while done < total_g:
    for _ in range(d_steps):
        d_opt.zero_grad()
        ld = crit(D(sample_real(bsize)), one) + crit(D(G(torch.randn(bsize, z_dim)).detach()), zero)
        ld.backward(); d_opt.step()
    for _ in range(g_steps):
        g_opt.zero_grad()
        lg = crit(D(G(torch.randn(bsize, z_dim))), one)
        lg.backward(); g_opt.step()
        done += 1
print(ld.item(), lg.item())
rec.close()

with torch.no_grad():
    s = G(torch.randn(2000, z_dim))
n, near = outside.modes(s, centres, 0.5)
e = outside.energy(s, sample_real(1000))
outside.say(n >= 7 and e < 0.1, modes=n, near=near, energy=e)
