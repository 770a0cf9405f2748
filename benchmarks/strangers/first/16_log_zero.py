"""Cubic curve in 2-D, hand written log losses on probabilities without an epsilon, both by SGD with a high rate."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["numerical_failure", "divergence", "learning_rate"], "kind": "log(0) gives inf/NaN", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def curve(n): t = torch.rand(n, 1) * 2 - 1; return torch.cat([3 * t, 30 * t ** 3], 1) + 0.02 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1), nn.Sigmoid())
go, do = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 5e-3)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=go, discriminator_optimizer=do, discriminator_output="probability")
for s in range(800):
    f = G(torch.randn(128, 4))
    ld = -(torch.log(D(curve(128))) + torch.log(1 - D(f.detach()))).mean()
    do.zero_grad(); ld.backward(); do.step()
    lg = -torch.log(D(f)).mean()
    go.zero_grad(); lg.backward(); go.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, curve(1000)); outside.say(e < 0.05, energy=e)
