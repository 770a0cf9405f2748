"""Two-tone 8x8 badges with pixels between 0 and 1, so the generator ends in a ReLU; LSGAN."""
LABEL = {"sick": True, "causes": ["dead_layers", "stagnation"], "kind": "ReLU as the generator's output (after a high start rate) dies: black pixels get no gradient any more", "since": None, "record": "automatic"}
import os, sys, random
import numpy as np, torch, torch.nn as nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

def badges(n):
    yy, xx = torch.meshgrid(torch.linspace(-1, 1, 8), torch.linspace(-1, 1, 8), indexing="ij")
    ang = np.pi * torch.rand(n, 1, 1)
    off = 0.6 * torch.rand(n, 1, 1) - 0.3
    s = torch.sigmoid(6 * (xx * torch.cos(ang) + yy * torch.sin(ang) - off))
    return (0.15 + 0.7 * s + 0.02 * torch.randn(n, 8, 8)).clamp(0, 1).view(n, 64)

act_out = nn.ReLU()
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 64), act_out)
D = nn.Sequential(nn.Linear(64, 96), nn.LeakyReLU(.2), nn.Linear(96, 96), nn.LeakyReLU(.2), nn.Linear(96, 1))
LR = 1e-3
g_opt = torch.optim.Adam(G.parameters(), lr=LR, betas=(.5, .9))
d_opt = torch.optim.Adam(D.parameters(), lr=LR, betas=(.5, .9))
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
for it in range(3000):
    r, f = badges(64), G(torch.randn(64, 8))
    ld = ((D(r) - 1) ** 2).mean() + (D(f.detach()) ** 2).mean()
    d_opt.zero_grad(); ld.backward(); d_opt.step()
    lg = ((D(f) - 1) ** 2).mean()
    g_opt.zero_grad(); lg.backward(); g_opt.step()
with torch.no_grad():
    s = G(torch.randn(1000, 8))
e = outside.energy(s, badges(1000))
outside.say(e < 0.05, energy=e, black=float((s == 0).float().mean()))
