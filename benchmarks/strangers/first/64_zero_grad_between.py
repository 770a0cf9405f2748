"""Digits; optimizerD.zero_grad() stands between errD_real.backward() and errD_fake.backward(), D learns from fakes only."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"], "kind": "gradient of the reals is thrown away (zero_grad in the wrong place)", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits(); loader = torch.utils.data.DataLoader(x, batch_size=64, shuffle=True, drop_last=True)
netG = nn.Sequential(nn.Linear(20, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))); netD = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1), nn.Sigmoid())
optimizerD = torch.optim.Adam(netD.parameters(), lr=5e-4, betas=(0.5, 0.999)); optimizerG = torch.optim.Adam(netG.parameters(), lr=5e-4, betas=(0.5, 0.999)); criterion = nn.BCELoss()
for epoch in range(20):
    for i, data in enumerate(loader):
        label = torch.ones(64, 1); errD_real = criterion(netD(data), label); errD_real.backward()
        optimizerD.zero_grad()
        fake = netG(torch.randn(64, 20)); errD_fake = criterion(netD(fake.detach()), torch.zeros(64, 1)); errD_fake.backward(); optimizerD.step()
        netG.zero_grad(); errG = criterion(netD(fake), label); errG.backward(); optimizerG.step()
with torch.no_grad(): f = netG(torch.randn(600, 20))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8 and n < 1.8, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
