"""Digits 8x8 with a minibatch standard deviation channel in the discriminator, as in the progressive GAN paper."""
import os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["numerical_failure"],
         "kind": "minibatch stddev layer takes sqrt of a variance that becomes exactly 0 at saturated pixels: NaN gradients in G",
                 "since": 0,
         "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

class MinibatchStd(nn.Module):
    def forward(self, x):
        var = (x - x.mean(0, keepdim=True)).pow(2).mean(0)
        std = torch.sqrt(var).mean()
        return torch.cat([x, std.expand(len(x), 1)], 1)

G = nn.Sequential(nn.Linear(32, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU(),
                  nn.Linear(256, 64), nn.Hardtanh(-1.05, 1.05))
D = nn.Sequential(nn.Flatten(), MinibatchStd(), nn.Linear(65, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2),
        nn.Linear(256, 1))
g_opt = torch.optim.Adam(G.parameters(), 4e-4, (0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), 4e-4, (0.0, 0.99))
images, _ = outside.digits()
images = images.flatten(1)
batch = 32

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
for it in range(2000):
    real = images[torch.randint(len(images), (batch,))].requires_grad_(it % 4 == 0)
    fake = G(torch.randn(batch, 32))
    r = D(real)
    f = D(fake.detach())
    d_loss = F.softplus(-r).mean() + F.softplus(f).mean()
    total = d_loss
    if it % 4 == 0:
        grad, = torch.autograd.grad(r.sum(), real, create_graph=True, retain_graph=True)
        total = total + 4 * 0.1 * grad.pow(2).sum(1).mean()
    d_opt.zero_grad()
    total.backward()
    d_opt.step()
    g_loss = F.softplus(-D(fake)).mean()
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=r, fake_logits=f, real=real, fake=fake)
rec.close()

G.eval()
with torch.no_grad():
    fake = G(torch.randn(1000, 32))
classes, far, _ = outside.digit_quality(fake)
e = outside.energy(fake, images[torch.randperm(len(images))[:1000]])
outside.say(classes >= 9 and far < 1.35 and e < 0.03, classes=classes, distance=far, energy=e)
