"""DCGAN on digits, tutorial's label.fill_ for the fakes was lost: D is taught that all are real."""
import os, sys, torch, torch.nn as nn, gandiag
import outside
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"], "kind": "fakes labelled real for D", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size=64, shuffle=True, drop_last=True)
class Gen(nn.Module):
    def __init__(s):
        super().__init__()
        s.main = nn.Sequential(nn.ConvTranspose2d(32, 64, 2), nn.BatchNorm2d(64), nn.ReLU(True), nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(True), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())
    def forward(s, z): return s.main(z)
class Disc(nn.Module):
    def __init__(s):
        super().__init__()
        s.main = nn.Sequential(nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(32, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2, True), nn.Conv2d(64, 1, 2), nn.Sigmoid())
    def forward(s, x): return s.main(x).view(-1)
netG, netD = Gen(), Disc()
optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999)); optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
criterion = nn.BCELoss(); real_label, fake_label = 1.0, 0.0
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optimizerG, discriminator_optimizer=optimizerD, discriminator_output="probability")
for epoch in range(25):
    for (real,) in loader:
        netD.zero_grad()
        label = torch.full((len(real),), real_label)
        errD_real = criterion(netD(real), label); errD_real.backward()
        fake = netG(torch.randn(len(real), 32, 1, 1))
        errD_fake = criterion(netD(fake.detach()), label); errD_fake.backward()
        optimizerD.step()
        netG.zero_grad()
        errG = criterion(netD(fake), label); errG.backward()
        optimizerG.step()
        rec.step(d_loss=errD_real + errD_fake, g_loss=errG)
rec.close(); netG.eval()
with torch.no_grad(): f = netG(torch.randn(600, 32, 1, 1))
c, nn_, _ = outside.digit_quality(f); e = outside.energy(f, x[torch.randperm(len(x))])
outside.say(c >= 8 and nn_ < 1.7 and e < 0.1, classes=c, nn=nn_, energy=e)
