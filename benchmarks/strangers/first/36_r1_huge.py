"""Digits with R1 and gamma 1000 (copied from a 1024 pixel config): D stays flat, G learns nothing."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["discriminator_weakness", "vanishing_generator_gradient", "stagnation"], "kind": "R1 far too strong, D flat", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
G = nn.Sequential(nn.Linear(16, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 2e-4, (0.0, 0.99)), torch.optim.Adam(D.parameters(), 2e-4, (0.0, 0.99)); sp = nn.functional.softplus
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for s in range(600):
    r = x[torch.randint(len(x), (32,))].requires_grad_(); f = G(torch.randn(32, 16)); lr = D(r)
    pen = torch.autograd.grad(lr.sum(), r, create_graph=True)[0].pow(2).sum((1, 2, 3)).mean()
    ld = sp(-lr).mean() + sp(D(f.detach())).mean() + 1000 / 2 * pen; od.zero_grad(); ld.backward(); od.step()
    lg = sp(-D(f)).mean(); og.zero_grad(); lg.backward(); og.step(); rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(600, 16))
c, n, _ = outside.digit_quality(f); e = outside.energy(f, x[torch.randperm(len(x))]); outside.say(e < 0.1, classes=c, nn=n, energy=e)
