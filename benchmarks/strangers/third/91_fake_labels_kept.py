"""Small random graphs as adjacency vectors (six nodes), BCE with one label tensor for both."""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"], "kind": "label.fill_(fake) comes after D's fake loss: D is told that fakes are real", "since": 0, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
PAIRS = [(i, j) for i in range(6) for j in range(i)]
SIDE = torch.tensor([[float((i < 3) == (j < 3)) for i, j in PAIRS]])


def graphs(n):
    """two communities of three nodes, edges inside mostly present"""
    p = 0.9 * SIDE + 0.1 * (1 - SIDE)
    return (torch.rand(n, len(PAIRS)) < p).float()


netG = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, len(PAIRS)), nn.Sigmoid())
netD = nn.Sequential(nn.Linear(len(PAIRS), 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
criterion = nn.BCEWithLogitsLoss()
optG = torch.optim.Adam(netG.parameters(), 1e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), 1e-3, betas=(0.5, 0.999))
real_label, fake_label = 0.9, 0.0
recorder = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)
for it in range(600):
    netD.zero_grad()
    real = graphs(64)
    label = torch.full((64, 1), real_label)
    errD_real = criterion(netD(real), label)
    errD_real.backward()
    fake = netG(torch.randn(64, 8))
    errD_fake = criterion(netD(fake.detach()), label)
    errD_fake.backward()
    label.fill_(fake_label)
    optD.step()
    netG.zero_grad()
    label.fill_(real_label)
    errG = criterion(netD(fake), label)
    errG.backward()
    optG.step()
    recorder.step(d_loss=errD_real + errD_fake, g_loss=errG)
recorder.close()
with torch.no_grad():
    s = (netG(torch.randn(2000, 8)) > torch.rand(2000, len(PAIRS))).float()
gap = float((s.mean(0) - graphs(4000).mean(0)).abs().mean())
print(json.dumps({"outcome": {"edge_probability_gap": gap}, "well": gap < 0.1}))
