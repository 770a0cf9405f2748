"""DCGAN with BatchNorm in both nets on digits; D is called once a step on both halves, which saves a pass."""
import os, sys
import torch, torch.nn as nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "oscillation", "mode_collapse"], "since": 0, "record": "lines",
         "kind": "D's BatchNorm sees reals and fakes in one batch in D's step and fakes alone in G's: two different functions"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
bs, nz, ngf, ndf = 32, 24, 24, 24


def weights_init(m):
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight, 0, 0.05)
    elif isinstance(m, nn.BatchNorm2d):
        nn.init.normal_(m.weight, 1, 0.02)
        nn.init.zeros_(m.bias)


netG = nn.Sequential(nn.ConvTranspose2d(nz, ngf * 2, 2, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
                     nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
                     nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False), nn.Tanh())
netD = nn.Sequential(nn.Conv2d(1, ndf, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf), nn.LeakyReLU(0.2, True),
                     nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 2), nn.LeakyReLU(0.2, True),
                     nn.Conv2d(ndf * 2, 1, 2, 1, 0, bias=False), nn.Flatten(0))
netG.apply(weights_init)
netD.apply(weights_init)
optG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
optD = torch.optim.Adam(netD.parameters(), lr=3e-4, betas=(0.5, 0.999))
crit = nn.BCEWithLogitsLoss()
target = torch.cat([torch.full((bs,), 0.9), torch.zeros(bs)])
X, _ = outside.digits()
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)

for i in range(900):
    real = X[torch.randint(0, len(X), (bs,))]
    fake = netG(torch.randn(bs, nz, 1, 1))
    # D: one pass for both
    optD.zero_grad()
    out = netD(torch.cat([real, fake.detach()]))
    errD = crit(out, target)
    errD.backward()
    optD.step()
    # G
    optG.zero_grad()
    errG = crit(netD(fake), torch.ones(bs))
    errG.backward()
    optG.step()
    rec.step(d_loss=errD, g_loss=errG, real_logits=out[:bs], fake_logits=out[bs:])
rec.close()

netG.eval()
with torch.no_grad():
    s = netG(torch.randn(800, nz, 1, 1))
classes, near, _ = outside.digit_quality(s)
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(classes >= 9 and near < 1.6 and e < 0.12, classes=classes, near=near, energy=e)
