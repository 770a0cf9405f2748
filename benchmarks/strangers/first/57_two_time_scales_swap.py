"""Digits; after a resume at step 450 the two optimizers' rates are exchanged by hand-typed config, G at 0.02."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["learning_rate", "mode_collapse", "divergence"], "kind": "G's rate 0.02 instead of 0.0005 after the resume", "since": 450, "record": "lines", "doubt": "without its fault it is not well either"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
G = nn.Sequential(nn.Linear(24, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU(), nn.Linear(160, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 160), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(160, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.99)); sp = nn.functional.softplus
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(800):
    if s == 450:
        for g in og.param_groups: g["lr"] = 2e-2
    r = x[torch.randint(len(x), (64,))]; f = G(torch.randn(64, 24)); ld = (sp(-D(r)) + sp(D(f.detach()))).mean(); od.zero_grad(); ld.backward(); od.step()
    lg = sp(-D(f)).mean(); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(600, 24))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8 and n < 1.8, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
