"""pix2pix-like denoiser of drawn letters: D's condition is not that of the picture."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault", "discriminator_dominance"], "kind": "pairs out of step: two shuffled loaders zipped, one for inputs and one for targets", "since": 0, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

def crosses(n):
    g = torch.arange(12.)
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    c = 3 + torch.rand(n, 2, 1, 1) * 5
    arm = 2 + torch.rand(n, 1, 1) * 3
    dy, dx = (yy - c[:, 0]).abs(), (xx - c[:, 1]).abs()
    return torch.where(((dy < 1) & (dx < arm)) | ((dx < 1) & (dy < arm)), 0.9, -0.9)[:, None]

clean = crosses(1500)
dirty = (clean + 0.7 * torch.randn_like(clean)).clamp(-1, 1)
inputs = DataLoader(dirty, batch_size=30, shuffle=True, drop_last=True)
targets = DataLoader(clean, batch_size=30, shuffle=True, drop_last=True)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(1, 12, 4, 2, 1), nn.LeakyReLU(.2))
        self.b = nn.Sequential(nn.Conv2d(12, 24, 3, 1, 1), nn.BatchNorm2d(24), nn.ReLU(), nn.ConvTranspose2d(24, 12, 4, 2, 1), nn.ReLU())
        self.c = nn.Sequential(nn.Conv2d(13, 1, 3, 1, 1), nn.Tanh())
    def forward(self, x):
        return self.c(torch.cat([self.b(self.a(x)), x], 1))

G = Net()
D = nn.Sequential(nn.Conv2d(2, 12, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(12, 24, 3, 1, 1), nn.LeakyReLU(.2), nn.Conv2d(24, 1, 3, 1, 1))
og = torch.optim.Adam(G.parameters(), 5e-4, betas=(.5, .999)); od = torch.optim.Adam(D.parameters(), 2e-4, betas=(.5, .999))
bce = nn.BCEWithLogitsLoss()
recorder = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for epoch in range(9):
    for x, t in zip(inputs, targets):
        f = G(x)
        pr, pf = D(torch.cat([x, t], 1)), D(torch.cat([x, f.detach()], 1))
        ld = .5 * (bce(pr, torch.ones_like(pr)) + bce(pf, torch.zeros_like(pf)))
        od.zero_grad(); ld.backward(); od.step()
        p = D(torch.cat([x, f], 1))
        lg = bce(p, torch.ones_like(p)) + 20 * F.l1_loss(f, t)
        og.zero_grad(); lg.backward(); og.step()
        recorder.step(d_loss=ld, g_loss=lg)
recorder.close()
test = crosses(400)
with torch.no_grad():
    err = float(F.l1_loss(G((test + 0.7 * torch.randn_like(test)).clamp(-1, 1)), test))
print(json.dumps({"outcome": {"l1": err, "l1_of_all_dark": float(F.l1_loss(torch.full_like(test, -.9), test))}, "well": err < 0.12}))
