"""Few-shot image generation (after FastGAN: skip-layer excitation, hinge with random margins), trained on a folder of examples."""
import os, sys, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting"],
         "kind": "only 5 training pictures, no augmentation, D with a lot of capacity: G reproduces those 5",
         "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

NUM_SHOTS = 5
NZ, NGF, BATCH, ITERS = 24, 96, 32, 1200

class SLE(nn.Module):
    def __init__(self, low, high):
        super().__init__(); self.f = nn.Sequential(nn.Linear(low, high), nn.SiLU(), nn.Linear(high, high), nn.Sigmoid())
    def forward(self, a, b): return b * 2 * self.f(a)

class FastG(nn.Module):
    def __init__(self):
        super().__init__()
        self.init = nn.Linear(NZ, 2 * NGF)
        self.up1 = nn.Sequential(nn.BatchNorm1d(NGF), nn.Linear(NGF, 2 * NGF), nn.GLU(1), nn.Linear(NGF, 2 * NGF), nn.BatchNorm1d(2 * NGF), nn.GLU(1))
        self.up2 = nn.Sequential(nn.Linear(NGF, 2 * NGF), nn.BatchNorm1d(2 * NGF), nn.GLU(1))
        self.sle = SLE(NGF, NGF); self.to_pix = nn.Linear(NGF, 64)
    def forward(self, z):
        a = F.glu(self.init(z)); b = self.up1(a); c = self.sle(a, self.up2(b))
        return torch.tanh(self.to_pix(c)).view(-1, 1, 8, 8)

class FastD(nn.Module):
    def __init__(self, h=256):
        super().__init__()
        sn = nn.utils.spectral_norm
        self.f = nn.Sequential(nn.Flatten(), sn(nn.Linear(64, h)), nn.LeakyReLU(.2), sn(nn.Linear(h, h)), nn.LeakyReLU(.2), sn(nn.Linear(h, 1)))
    def forward(self, x): return self.f(x)

everything, _ = outside.digits()
order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(5 + SEED))
train, test = everything[order[:1200]], everything[order[1200:]]
shots = train[:NUM_SHOTS]

netG, netD = FastG(), FastD()
avg = [p.clone().detach() for p in netG.parameters()]
optG = torch.optim.Adam(netG.parameters(), lr=4e-4, betas=(.5, .999))
optD = torch.optim.Adam(netD.parameters(), lr=8e-4, betas=(.5, .999))
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)
for it in range(ITERS):
    real = shots[torch.randint(len(shots), (BATCH,))]
    fake = netG(torch.randn(BATCH, NZ))
    pr, pf = netD(real), netD(fake.detach())
    d_loss = F.relu(torch.rand_like(pr) * .2 + .8 - pr).mean() + F.relu(torch.rand_like(pf) * .2 + .8 + pf).mean()
    optD.zero_grad(); d_loss.backward(); optD.step()
    g_loss = -netD(fake).mean()
    optG.zero_grad(); g_loss.backward(); optG.step()
    for a, p in zip(avg, netG.parameters()):
        a.mul_(.99).add_(p.detach(), alpha=.01)
    rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake, real_logits=pr, fake_logits=pf)
rec.close()
with torch.no_grad():
    for p, a in zip(netG.parameters(), avg): p.copy_(a)
    s = netG(torch.randn(600, NZ))
e = outside.energy(s, test)
# distance from unseen pictures to the nearest generated one, against the same for the training folder
cover = torch.cdist(test.flatten(1), s.flatten(1)).min(1).values.mean() / torch.cdist(test.flatten(1), train[:600].flatten(1)).min(1).values.mean()
outside.say(float(cover) < 1.6 and e < .03, energy=e, coverage_distance=float(cover))
