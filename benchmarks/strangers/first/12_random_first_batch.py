"""Digits by next(iter(loader)) with shuffle=True in every step: clumsy and sound; relativistic average loss."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "next(iter(shuffled loader)), relativistic average LS", "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, y = outside.digits()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size=64, shuffle=True)
G = nn.Sequential(nn.Linear(24, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(96, 1))
og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(1000):
    imgs = next(iter(loader))[0]
    fake = G(torch.randn(64, 24))
    r, f = D(imgs), D(fake.detach())
    ld = ((r - f.mean() - 1) ** 2).mean() + ((f - r.mean() + 1) ** 2).mean()
    od.zero_grad(); ld.backward(); od.step()
    r, f = D(imgs).detach(), D(fake)
    lg = ((r - f.mean() + 1) ** 2).mean() + ((f - r.mean() - 1) ** 2).mean()
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close(); G.eval()
with torch.no_grad(): f = G(torch.randn(800, 24))
c, n, _ = outside.digit_quality(f); e = outside.energy(f, x[torch.randperm(len(x))]); outside.say(c >= 9 and n < 1.6 and e < 0.06, classes=c, nn=n, energy=e)
