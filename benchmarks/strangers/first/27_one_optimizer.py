"""Banana, one Adam over both nets and one backward of the sum of both losses."""
import os, sys, itertools, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "one optimizer and one summed loss for both players", "since": 0, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def banana(n): a = torch.randn(n); return torch.stack([a, 0.6 * a * a - 0.6 + 0.2 * torch.randn(n)], 1) + torch.tensor([2.0, 1.0])
class GAN(nn.Module):
    def __init__(self):
        super().__init__(); self.generator = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)); self.discriminator = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
model = GAN(); opt = torch.optim.Adam(model.parameters(), 1e-3); bce = nn.BCEWithLogitsLoss(); o, z0 = torch.ones(128, 1), torch.zeros(128, 1)
rec = gandiag.Recorder(sys.argv[1], generator=model.generator, discriminator=model.discriminator, generator_optimizer=opt, discriminator_optimizer=opt)
for s in range(900):
    fake = model.generator(torch.randn(128, 4)); real = banana(128)
    d_loss = bce(model.discriminator(real), o) + bce(model.discriminator(fake), z0)
    g_loss = bce(model.discriminator(fake), o)
    opt.zero_grad(); (d_loss + g_loss).backward(); opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
with torch.no_grad(): f = model.generator(torch.randn(1000, 4))
e = outside.energy(f, banana(1000)); outside.say(e < 0.05, energy=e)
