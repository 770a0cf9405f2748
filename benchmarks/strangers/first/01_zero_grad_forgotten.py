"""Ring of eight Gaussians, notebook style, D's optimizer never zeroes its gradients."""
import os, sys, math, torch, torch.nn as nn, gandiag
import outside
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "oscillation"], "kind": "missing zero_grad of D", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
ang = torch.arange(8) * math.pi / 4
centres = 2 * torch.stack([ang.cos(), ang.sin()], 1)
def data(n): return centres[torch.randint(8, (n,))] + 0.05 * torch.randn(n, 2)
G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
one, zero = torch.ones(128, 1), torch.zeros(128, 1)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=optG, discriminator_optimizer=optD)
for it in range(1500):
    fake = G(torch.randn(128, 8))
    lossD = bce(D(data(128)), one) + bce(D(fake.detach()), zero)
    lossD.backward(inputs=list(D.parameters()))
    optD.step()
    optG.zero_grad()
    lossG = bce(D(fake), one)
    lossG.backward(inputs=list(G.parameters()))
    optG.step()
    rec.step(d_loss=lossD, g_loss=lossG)
rec.close()
with torch.no_grad(): f = G(torch.randn(1000, 8))
e = outside.energy(f, data(1000)); m, good = outside.modes(f, centres, 0.3)
outside.say(e < 0.05 and m >= 7 and good > 0.6, energy=e, modes=m, good=good)
