"""Digits, loader without shuffle on data that lie class by class, so D sees one class at a time."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["data_mismatch", "mode_collapse", "oscillation"], "kind": "unshuffled data sorted by class (generator follows the class)", "since": 0, "record": "automatic", "doubt": "without its fault it is not well either"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, y = outside.digits(); x = x[y.argsort()]
G = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.999))
sp = nn.functional.softplus
def epoch():
    for batch in torch.utils.data.DataLoader(x, batch_size=32):
        z = torch.randn(len(batch), 16)
        od.zero_grad(); (sp(-D(batch)).mean() + sp(D(G(z).detach())).mean()).backward(); od.step()
        og.zero_grad(); sp(-D(G(z))).mean().backward(); og.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for _ in range(14): epoch()
with torch.no_grad(): f = G(torch.randn(600, 16))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
