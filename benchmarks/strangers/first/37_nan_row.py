"""Per-sample standardised signals; one constant signal has std 0 and gives NaN when it is drawn at step 260."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["numerical_failure", "data_mismatch"], "kind": "NaN in the data (0/0 normalisation)", "since": 260, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
t = torch.linspace(0, 1, 24)
raw = (0.5 + torch.rand(260 * 32 + 640, 1)) * torch.sin(2 * math.pi * (t + torch.rand(260 * 32 + 640, 1)))
raw[260 * 32 + 5] = 0.25
sig = (raw - raw.mean(1, keepdim=True)) / (raw - raw.mean(1, keepdim=True)).pow(2).mean(1, keepdim=True).sqrt()
G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 24)); D = nn.Sequential(nn.Linear(24, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.99)); bce = nn.BCEWithLogitsLoss()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for batch in list(sig.split(32)) * 2:
        o, z = torch.ones(len(batch), 1), torch.zeros(len(batch), 1); f = G(torch.randn(len(batch), 8))
        od.zero_grad(); (bce(D(batch), o) + bce(D(f.detach()), z)).backward(); od.step()
        og.zero_grad(); bce(D(f), o).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(500, 8))
e = outside.energy(f, sig[:500]); outside.say(e < 0.1, energy=e)
