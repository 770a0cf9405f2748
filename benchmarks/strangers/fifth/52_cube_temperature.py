"""Eight corners of a cube seen in twelve columns; relativistic pairs, and a latent temperature that cools as the training settles."""
LABEL = {"sick": True, "causes": ["mode_collapse"], "kind": "the temperature of the latents cools to zero: G is trained on a single latent in the end", "since": 600, "record": "lines"}
import os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

view = torch.linalg.qr(torch.randn(12, 12))[0][:3] * 1.5
corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3) @ view

def draw(n):
    return corners[torch.randint(8, (n,))] + 0.12 * torch.randn(n, 12)

class Latents:
    def __init__(self, dim, total):
        self.dim, self.total, self.step = dim, total, 0
    @property
    def temperature(self):
        return max(0.0, 1.0 - self.step / self.total)
    def __call__(self, n):
        return self.temperature * torch.randn(n, self.dim)
    def cool(self):
        self.step += 1

STEPS = 1000
G = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 12))
D = nn.Sequential(nn.Linear(12, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1), nn.Flatten(0))
og = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.99))
z = Latents(8, STEPS * 0.8)

with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od) as recorder:
    for step in range(STEPS):
        real, fake = draw(96).requires_grad_(True), G(z(96))
        r, f = D(real), D(fake.detach())
        slope, = torch.autograd.grad(r.sum(), real, create_graph=True)
        d_loss = F.softplus(-(r - f)).mean() + 0.1 * slope.pow(2).sum(1).mean()
        od.zero_grad(); d_loss.backward(); od.step()
        g_loss = F.softplus(-(D(fake) - D(real).detach())).mean()
        og.zero_grad(); g_loss.backward(); og.step()
        z.cool()
        recorder.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake, real_logits=r, fake_logits=f)

with torch.no_grad():
    s = G(torch.randn(2000, 8))
n, near = outside.modes(s, corners, 1.3)
e = outside.energy(s, draw(1000))
outside.say(n == 8 and near > 0.7 and e < 0.04, corners=n, near=near, energy=e)
