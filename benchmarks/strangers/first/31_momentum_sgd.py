"""Ring of eight, both players by SGD with momentum 0.95 on a least-squares game with little capacity: rotates."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["oscillation", "mode_collapse", "learning_rate"], "kind": "rotating collapse, high rate of G with beta1 0.95", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
a = torch.arange(8) * math.pi / 4; C = 2 * torch.stack([a.cos(), a.sin()], 1)
real_batch = lambda n: C[torch.randint(8, (n,))] + 0.03 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)); D = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 1))
opt = {"g": torch.optim.Adam(G.parameters(), 2e-3, (0.95, 0.999)), "d": torch.optim.Adam(D.parameters(), 2e-4, (0.95, 0.999))}
bce = nn.BCEWithLogitsLoss(); one, zero = torch.ones(128, 1), torch.zeros(128, 1)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt["g"], discriminator_optimizer=opt["d"])
for step in range(900):
    fake = G(torch.randn(128, 32)); ld = bce(D(real_batch(128)), one) + bce(D(fake.detach()), zero)
    opt["d"].zero_grad(); ld.backward(); opt["d"].step()
    lg = bce(D(fake), one); opt["g"].zero_grad(); lg.backward(); opt["g"].step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 32))
m, g = outside.modes(f, C, 0.3); outside.say(m >= 7, modes=m, good=g, energy=outside.energy(f, real_batch(1000)))
