"""Drawn discs and bars; after the first epoch the except StopIteration branch gives the last batch for ever."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["data_mismatch", "discriminator_overfitting", "memorisation"], "kind": "the last (small) batch repeated after the first epoch", "since": 250, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
gy, gx = torch.meshgrid(torch.arange(12.), torch.arange(12.), indexing="ij")
def shapes(n):
    cx, cy, r = 3 + 6 * torch.rand(n, 1, 1), 3 + 6 * torch.rand(n, 1, 1), 1.5 + 1.5 * torch.rand(n, 1, 1)
    disc = torch.sigmoid(3 * (r - ((gx - cx) ** 2 + (gy - cy) ** 2).sqrt())); bar = torch.sigmoid(3 * (1.2 - (gx - cx).abs()))
    return (torch.where(torch.rand(n, 1, 1) < 0.5, disc, bar) * 2 - 1).unsqueeze(1)
images = shapes(250 * 32 + 8)
G = nn.Sequential(nn.Linear(16, 288), nn.ReLU(), nn.Unflatten(1, (32, 3, 3)), nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(288, 1))
og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.999))
bce = nn.functional.binary_cross_entropy_with_logits
loader = torch.utils.data.DataLoader(images, batch_size=32); it = iter(loader)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(1100):
    try: real = next(it)
    except StopIteration: pass
    fake = G(torch.randn(len(real), 16)); a, b = D(real), D(fake.detach())
    ld = bce(a, torch.ones_like(a)) + bce(b, torch.zeros_like(b)); od.zero_grad(); ld.backward(); od.step()
    b = D(fake); lg = bce(b, torch.ones_like(b)); og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad(): f = G(torch.randn(600, 16))
e = outside.energy(f, shapes(600)); outside.say(e < 0.06, energy=e)
