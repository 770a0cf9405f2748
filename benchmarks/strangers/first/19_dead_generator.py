"""Digits; the generator's hidden biases are filled with -8 by an init copied from a detector's focal loss."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["dead_layers", "stagnation", "mode_collapse"], "kind": "dead ReLUs by a bias of -8 at the start", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
def init(m):
    if isinstance(m, nn.Linear): nn.init.xavier_uniform_(m.weight); nn.init.constant_(m.bias, -8.0)
body = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()); body.apply(init)
G = nn.Sequential(*body, nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og = torch.optim.Adam(G.parameters(), 2e-4, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(700):
    r = x[torch.randint(len(x), (64,))]; f = G(torch.randn(64, 16))
    a, b = D(r), D(f.detach()); ld = (1 - a).relu().mean() + (1 + b).relu().mean(); od.zero_grad(); ld.backward(); od.step()
    lg = -D(f).mean(); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(600, 16))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
