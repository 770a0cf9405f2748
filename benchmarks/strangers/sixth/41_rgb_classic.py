"""The classic game with a sigmoid at D's end: small RGB pictures of two coloured halves."""
import os, sys
import torch, torch.nn as nn
import gandiag, outside

LABEL = {"sick": False, "causes": [], "since": None, "record": "lines",
         "kind": "a sigmoid D with BCELoss, smoothed and sometimes flipped labels, dropout in D, AdamW, D seen by G through its dropout"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

PAL = torch.tensor([[.8, -.6, -.6], [-.6, .7, -.5], [-.6, -.4, .9], [.8, .8, -.5]])


def pictures(n):
    """Upper colour, lower colour (never the same), the edge between them anywhere from row 2 to 6."""
    a = torch.randint(0, 4, (n,))
    b = (a + torch.randint(1, 4, (n,))) % 4
    edge = 2 + 4 * torch.rand(n, 1, 1, 1)
    w = torch.sigmoid((torch.arange(8.).view(1, 1, 8, 1) - edge) * 2).expand(n, 1, 8, 8)
    x = PAL[a][:, :, None, None] * (1 - w) + PAL[b][:, :, None, None] * w
    return (x + 0.05 * torch.randn_like(x)).clamp(-1, 1), a * 4 + b


G = nn.Sequential(nn.Linear(20, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU(),
                  nn.Linear(256, 192), nn.Tanh(), nn.Unflatten(1, (3, 8, 8)))
D = nn.Sequential(nn.Conv2d(3, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(0.25), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2),
                  nn.Dropout(0.25), nn.Flatten(), nn.Linear(192, 1), nn.Sigmoid())
optG = torch.optim.AdamW(G.parameters(), lr=8e-4, betas=(0.5, 0.999), weight_decay=1e-3)
optD = torch.optim.AdamW(D.parameters(), lr=6e-4, betas=(0.5, 0.999), weight_decay=1e-3)
criterion = nn.BCELoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=optG, discriminator_optimizer=optD,
                       discriminator_output="probability")
for i in range(1500):
    real, _ = pictures(48)
    target = torch.where(torch.rand(48, 1) < 0.03, torch.zeros(48, 1), 0.9 * torch.ones(48, 1))
    fake = G(torch.randn(48, 20))
    p_real, p_fake = D(real), D(fake.detach())
    errD = criterion(p_real, target) + criterion(p_fake, torch.zeros(48, 1))
    D.zero_grad(); errD.backward(); optD.step()
    errG = criterion(D(fake), torch.ones(48, 1))
    G.zero_grad(); errG.backward(); optG.step()
    rec.step(d_loss=errD, g_loss=errG, real_logits=p_real, fake_logits=p_fake, real=real, fake=fake)
rec.close()

G.eval()
with torch.no_grad():
    s = G(torch.randn(1200, 20))
r, _ = pictures(1200)
top, low = s[:, :, 0].mean(2), s[:, :, 7].mean(2)
ka, kb = torch.cdist(top, PAL).argmin(1), torch.cdist(low, PAL).argmin(1)
pairs = torch.bincount(ka * 4 + kb, minlength=16)
found = int((pairs > 12).sum() - (pairs.view(4, 4).diag() > 12).sum())
e = outside.energy(s, r)
same = float((ka == kb).float().mean())
outside.say(found >= 11 and e < 0.03 and same < 0.15, pairs=found, of=12, energy=e, same=same)
