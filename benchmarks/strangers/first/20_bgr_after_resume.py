"""Coloured squares (12x12 RGB, warm colours); after a resume at step 350 the images come by another reader as BGR."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "channel order turned round (RGB to BGR) since step 350", "since": 350, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def read(n, bgr=False):
    im = -torch.ones(n, 3, 12, 12)
    for k in range(n):
        i, j = torch.randint(1, 6, (2,)).tolist(); im[k, :, i:i + 5, j:j + 5] = torch.tensor([0.9, 0.3 * float(torch.rand(1)), -0.8]).view(3, 1, 1)
    return im.flip(1) if bgr else im
rgb = read(1500); bgr = rgb.flip(1)
G = nn.Sequential(nn.Linear(12, 288), nn.ReLU(), nn.Unflatten(1, (32, 3, 3)), nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(24, 3, 4, 2, 1), nn.Tanh())
D = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(288, 1))
og = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)); od = torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.999))
for step in range(600):
    data = rgb if step < 350 else bgr
    real = data[torch.randint(1500, (32,))]; fake = G(torch.randn(32, 12))
    od.zero_grad(); (nn.functional.softplus(-D(real)).mean() + nn.functional.softplus(D(fake.detach())).mean()).backward(); od.step()
    og.zero_grad(); nn.functional.softplus(-D(fake)).mean().backward(); og.step()
with torch.no_grad(): f = G(torch.randn(400, 12))
e = outside.energy(f, rgb[:400]); outside.say(e < 0.15, energy=e, red=float(f[:, 0].mean()), blue=float(f[:, 2].mean()))
