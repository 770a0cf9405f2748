"""Digits sorted by class; next(iter(loader)) with shuffle=False in every step, so always the first 64."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_overfitting", "memorisation"], "kind": "the same first batch in every step", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, y = outside.digits(); order = y.argsort(); ds = torch.utils.data.TensorDataset(x[order], y[order])
loader = torch.utils.data.DataLoader(ds, batch_size=64, shuffle=False)
G = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.999))
crit = nn.BCEWithLogitsLoss()
for step in range(700):
    imgs, _ = next(iter(loader))
    fake = G(torch.randn(len(imgs), 16))
    od.zero_grad(); l = crit(D(imgs), torch.ones(len(imgs), 1)) + crit(D(fake.detach()), torch.zeros(len(imgs), 1)); l.backward(); od.step()
    og.zero_grad(); lg = crit(D(fake), torch.ones(len(imgs), 1)); lg.backward(); og.step()
with torch.no_grad(): f = G(torch.randn(600, 16))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
