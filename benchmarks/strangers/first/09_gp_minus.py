"""Wave forms of 32 samples, WGAN whose penalty is subtracted."""
import os, torch, math
from torch import nn
import outside
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "numerical_failure"], "kind": "gradient penalty with a minus", "since": 0, "record": "attach", "doubt": "without its fault it is not well either"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
t = torch.linspace(0, 1, 32)
def waves(n): return (torch.rand(n, 1) * 0.6 + 0.4) * torch.sin(2 * math.pi * (torch.randint(1, 4, (n, 1)) * t + torch.rand(n, 1)))
class WaveGAN:
    def __init__(self):
        self.netG = nn.Sequential(nn.Linear(10, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 32))
        self.netD = nn.Sequential(nn.Linear(32, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
        self.optG = torch.optim.Adam(self.netG.parameters(), 1e-4, (0.5, 0.9)); self.optD = torch.optim.Adam(self.netD.parameters(), 1e-4, (0.5, 0.9))
    def gp(self, x, y):
        a = torch.rand(len(x), 1); m = (a * x + (1 - a) * y).requires_grad_()
        return ((torch.autograd.grad(self.netD(m).sum(), m, create_graph=True)[0].norm(dim=1) - 1) ** 2).mean()
    def train_step(self, x):
        for p in self.netD.parameters(): p.requires_grad = True
        y = self.netG(torch.randn(len(x), 10)).detach()
        loss = -(self.netD(x).mean() - self.netD(y).mean()) - 10 * self.gp(x, y)
        self.optD.zero_grad(); loss.backward(); self.optD.step()
        for p in self.netD.parameters(): p.requires_grad = False
        g = -self.netD(self.netG(torch.randn(len(x), 10))).mean()
        self.optG.zero_grad(); g.backward(); self.optG.step()
gan = WaveGAN()
for i in range(1000): gan.train_step(waves(64))
with torch.no_grad(): f = gan.netG(torch.randn(1000, 10))
e = outside.energy(f, waves(1000)); outside.say(e < 0.05, energy=e)
