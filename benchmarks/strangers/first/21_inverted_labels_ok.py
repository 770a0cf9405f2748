"""Digits, label convention real=0 and fake=1 throughout, with one-sided smoothing; sound."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "labels turned round consistently, smoothing", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
G = nn.Sequential(nn.Linear(24, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))
og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.999))
bce = nn.BCEWithLogitsLoss(); REAL, FAKE = 0.1, 1.0
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
full = lambda v: torch.full((64, 1), v)
for epoch in range(36):
    perm = torch.randperm(len(x))
    for i in range(0, len(x) - 63, 64):
        fake = G(torch.randn(64, 24)); real = x[perm[i:i + 64]]
        ld = bce(D(real), full(REAL)) + bce(D(fake.detach()), full(FAKE)); od.zero_grad(); ld.backward(); od.step()
        lg = bce(D(fake), full(0.0)); og.zero_grad(); lg.backward(); og.step()
        rec.step(d_loss=ld, g_loss=lg)
rec.close(); G.eval()
with torch.no_grad(): f = G(torch.randn(800, 24))
c, n, _ = outside.digit_quality(f); e = outside.energy(f, x[torch.randperm(len(x))]); outside.say(c >= 9 and n < 1.6 and e < 0.06, classes=c, nn=n, energy=e)
