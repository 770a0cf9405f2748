"""Drawn rings 10x10; copy and paste: G's optimizer holds D's parameters."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "optimizer of G built over netD.parameters()", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
gy, gx = torch.meshgrid(torch.arange(10.), torch.arange(10.), indexing="ij")
def rings(n): r = 2 + 2 * torch.rand(n, 1, 1); d = ((gx - 4.5) ** 2 + (gy - 4.5) ** 2).sqrt(); return (2 * torch.exp(-(d - r) ** 2) - 1).unsqueeze(1)
netG = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 100), nn.Tanh(), nn.Unflatten(1, (1, 10, 10)))
netD = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 16, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(144, 1))
optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999)); optimizerG = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999)); crit = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG, discriminator_optimizer=optimizerD)
for i in range(500):
    netD.zero_grad(); fake = netG(torch.randn(32, 8)); a, b = netD(rings(32)), netD(fake.detach())
    errD = crit(a, torch.ones_like(a)) + crit(b, torch.zeros_like(b)); errD.backward(); optimizerD.step()
    netG.zero_grad(); b = netD(fake); errG = crit(b, torch.ones_like(b)); errG.backward(); optimizerG.step()
    rec.step(d_loss=errD, g_loss=errG)
rec.close()
with torch.no_grad(): f = netG(torch.randn(600, 8))
e = outside.energy(f, rings(600)); outside.say(e < 0.1, energy=e)
