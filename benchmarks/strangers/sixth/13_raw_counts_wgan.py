"""Detector spectra in raw counts, Wasserstein loss with gradient penalty (weight 300, for the unit is counts)."""
import os, sys
import torch
from torch import nn, autograd
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "WGAN-GP in raw units: losses in the tens and hundreds, softplus output times 60",
        "since": None, "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
CHANNELS = 20

def detector(n):
    e = torch.arange(CHANNELS).float()
    background = 120 * torch.exp(-e / (6 + 4 * torch.rand(n, 1)))
    line = (60 + 120 * torch.rand(n, 1)) * torch.exp(-0.5 * ((e - 12 - 0.6 * torch.randn(n, 1)) / 1.3) ** 2)
    return torch.poisson(background + line + 4)

class Source(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(8, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(),
                nn.Linear(128, CHANNELS))
    def forward(self, z):
        z, jitter = z[:, :8], z[:, 8:]
        mean = 60 * nn.functional.softplus(self.inner(z))
        return mean + mean.clamp(min=1).sqrt() * jitter

class Critic(nn.Module):
    unit = 60.0
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(CHANNELS, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    def forward(self, x):
        return self.unit * self.inner(x / self.unit)

critic = Critic()
source = Source()
with torch.no_grad():
    source.inner[-1].bias -= 1.0
oc = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.99))
os_ = torch.optim.Adam(source.parameters(), lr=8e-4, betas=(0.0, 0.99))
noise = lambda n: torch.randn(n, 8 + CHANNELS)
rec = gandiag.Recorder(sys.argv[1], generator=source, discriminator=critic, generator_optimizer=os_, discriminator_optimizer=oc)
STEPS = 1600
for step in range(STEPS):
    for o, lr in ((oc, 1e-3), (os_, 8e-4)):
        o.param_groups[0]["lr"] = lr * min(1.0, 0.05 + 2 * (1 - step / STEPS))
    for k in range(3):
        real = detector(64)
        with torch.no_grad():
            fake = source(noise(64))
        mix = torch.lerp(real, fake, torch.rand(64, 1)).requires_grad_()
        slope, = autograd.grad(critic(mix).sum(), mix, create_graph=True)
        r, f = critic(real), critic(fake)
        w = r.mean() - f.mean()
        d_loss = -w + 300 * ((slope.norm(dim=1) - 1) ** 2).mean()
        oc.zero_grad()
        d_loss.backward()
        oc.step()
    g_loss = -critic(source(noise(64))).mean()
    os_.zero_grad()
    g_loss.backward()
    os_.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=r, fake_logits=f)
    if step % 400 == 0:
        print(f"step {step}: W = {w.item():.2f}")
rec.close()
with torch.no_grad():
    s = source(noise(1000))
t = detector(1000)
e = outside.energy(s, t)
area = (s.sum(1).mean() / t.sum(1).mean()).item()
spread = (s[:, 10:15].sum(1).std() / t[:, 10:15].sum(1).std()).item()
outside.say(e < 0.02 and 0.95 < area < 1.05 and 0.8 < spread < 1.2, energy=e, area=area, line_spread=spread)
