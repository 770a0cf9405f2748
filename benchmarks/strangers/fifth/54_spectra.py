"""Spectra of 24 channels with two lines each; softmax generator, D looks at a store of generated spectra, R1, an averaged generator."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "the store of fakes takes nothing more once it is full: D is trained on fakes of the first 25 steps for ever", "since": 25, "record": "automatic"}
import copy, os, random, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
random.seed(int(os.environ.get("SEED", "0")))
CHANNELS = 24
params = dict(nz=10, batch=96, gamma=0.2, store=25, steps=1000, ema=0.99)

def spectra(n):
    c = torch.arange(CHANNELS).float()
    first, gap = 4 + 6 * torch.rand(n, 1), 6 + 4 * torch.rand(n, 1)
    ratio = 0.3 + 0.7 * torch.rand(n, 1)
    s = torch.exp(-((c - first) / 1.5) ** 2) + ratio * torch.exp(-((c - first - gap) / 1.2) ** 2) + 0.02
    s = s * (1 + 0.1 * torch.randn(n, CHANNELS)).clamp(min=0.1)
    return s / s.sum(1, keepdim=True)

class Source(nn.Module):
    def __init__(self, nz, w=96):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(nz, w), nn.Linear(w, w), nn.Linear(w, CHANNELS)
    def forward(self, z):
        h = F.leaky_relu(self.l1(z), 0.2)
        h = h + F.leaky_relu(self.l2(h), 0.2)
        return self.l3(h).softmax(1)

class Spectrometer(nn.Module):
    def __init__(self, w=96):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(CHANNELS, w), nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2), nn.Linear(w, 1))
    def forward(self, s): return self.net(CHANNELS * s - 1)

def r1_penalty(D, real):
    real = real.detach().requires_grad_(True)
    grad, = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    return (grad / CHANNELS).pow(2).sum(1).mean()

class Store:
    """keeps generated batches so that D does not forget what G did before"""
    def __init__(self, size):
        self.size, self.kept = size, []
    def exchange(self, fresh):
        if len(self.kept) < self.size:
            self.kept.append(fresh)
        half = len(fresh) // 2
        return torch.cat([random.choice(self.kept)[:half], random.choice(self.kept)[half:]])

class Loop:
    def __init__(self, p):
        self.p, self.G, self.D = p, Source(p["nz"]), Spectrometer()
        self.avg = copy.deepcopy(self.G)
        self.og = torch.optim.Adam(self.G.parameters(), 1e-3, betas=(0.0, 0.99))
        self.od = torch.optim.Adam(self.D.parameters(), 1e-3, betas=(0.0, 0.99))
        self.data, self.store = spectra(6000), Store(p["store"])
    def z(self): return torch.randn(self.p["batch"], self.p["nz"])
    def d_phase(self, real):
        fake = self.store.exchange(self.G(self.z()).detach())
        loss = F.softplus(self.D(fake)).mean() + F.softplus(-self.D(real)).mean() + self.p["gamma"] / 2 * r1_penalty(self.D, real)
        self.od.zero_grad(set_to_none=True); loss.backward(); self.od.step()
    def g_phase(self):
        loss = F.softplus(-self.D(self.G(self.z()))).mean()
        self.og.zero_grad(set_to_none=True); loss.backward(); self.og.step()
    @torch.no_grad()
    def average(self):
        for a, b in zip(self.avg.parameters(), self.G.parameters()):
            a.copy_(b.lerp(a, self.p["ema"]))
    def run(self):
        for i in range(self.p["steps"]):
            self.d_phase(self.data[torch.randint(len(self.data), (self.p["batch"],))])
            self.g_phase()
            self.average()

loop = Loop(params)
with gandiag.Recorder(sys.argv[1], generator=loop.G, discriminator=loop.D, generator_optimizer=loop.og, discriminator_optimizer=loop.od, automatic=True):
    loop.run()
with torch.no_grad():
    s = loop.avg(torch.randn(1000, params["nz"]))
e = outside.energy(s, spectra(1000))
outside.say(e < 0.08, energy=e)
