"""Grid of 25 Gaussians; the monitoring noise `fixed_noise` is used for the training too."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["mode_collapse", "mode_dropping", "data_mismatch"], "kind": "one fixed noise batch of 16 in training", "since": 0, "record": "lines", "doubt": "without its fault it is not well either"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
grid = torch.cartesian_prod(torch.linspace(-2, 2, 5), torch.linspace(-2, 2, 5))
sample = lambda n: grid[torch.randint(25, (n,))] + 0.03 * torch.randn(n, 2)
def mlp(i, o, h=96): return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, o))
gen, dis = mlp(16, 2), mlp(2, 1)
go = torch.optim.Adam(gen.parameters(), 5e-4, (0.5, 0.9)); do = torch.optim.Adam(dis.parameters(), 1e-3, (0.5, 0.9))
fixed_noise = torch.randn(16, 16)
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=go, discriminator_optimizer=do)
sp = nn.functional.softplus
for i in range(1500):
    r = sample(16); f = gen(fixed_noise)
    ld = sp(-dis(r)).mean() + sp(dis(f.detach())).mean()
    do.zero_grad(); ld.backward(); do.step()
    lg = sp(-dis(f)).mean()
    go.zero_grad(); lg.backward(); go.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = gen(torch.randn(1000, 16))
m, good = outside.modes(f, grid, 0.2); outside.say(m >= 22 and good > 0.6, modes=m, good=good, energy=outside.energy(f, sample(1000)))
