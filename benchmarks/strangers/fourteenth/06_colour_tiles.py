"""Generate little colour-gradient tiles (3x6x6) for a pixel-art background; hinge loss."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse"], "kind": "a weight decay of 0.1 (a value meant for AdamW) as Adam's coupled L2 outweighs the game: the generator's weights shrink until it draws one and the same tile", "since": 0, "record": "lines"}
import os, sys, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside
from gandiag.recording import Recorder
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

nz, B, STEPS = 12, 64, 2600
palette = torch.tensor([[.9, -.6, -.7], [-.7, .6, -.4], [-.6, -.4, .9], [.8, .7, -.6]])


def tiles(n):
    # a palette colour fading linearly to black in a random direction
    col = palette[torch.randint(0, 4, (n,))] + 0.08 * torch.randn(n, 3)
    ang = torch.rand(n) * 2 * np.pi
    lin = torch.linspace(-1, 1, 6)
    ramp = ang.cos()[:, None, None] * lin[None, None, :] + ang.sin()[:, None, None] * lin[None, :, None]
    w = torch.sigmoid(2 * ramp)[:, None]
    return (w * (col[:, :, None, None] + 1) - 1).clamp(-1, 1)


G = nn.Sequential(nn.Linear(nz, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 108), nn.Tanh(), nn.Unflatten(1, (3, 6, 6)))
D = nn.Sequential(nn.Flatten(), nn.Linear(108, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 1))
optim_args = dict(lr=5e-4, betas=(0.5, 0.9), weight_decay=0.1)
opt_g, opt_d = (torch.optim.Adam(m.parameters(), **optim_args) for m in (G, D))
recorder = Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=opt_g, discriminator_optimizer=opt_d)

for step in range(STEPS):
    x = tiles(B)
    fx = G(torch.randn(B, nz))
    dr, df = D(x), D(fx.detach())
    ld = F.relu(1 - dr).mean() + F.relu(1 + df).mean()
    opt_d.zero_grad(); ld.backward(); opt_d.step()
    lg = -D(fx).mean()
    opt_g.zero_grad(); lg.backward(); opt_g.step()
    recorder.step(real_logits=dr, fake_logits=df, d_loss=ld, g_loss=lg, real=x, fake=fx)
    if step % 500 == 0: print(step, ld.item(), lg.item())
recorder.close()

with torch.no_grad(): s = G(torch.randn(1000, nz))
e = outside.energy(s, tiles(1000))
# which palette colour is each tile's brightest corner?
bright = s.flatten(2).amax(2)
share = torch.bincount(torch.cdist(bright, palette).argmin(1), minlength=4) / 1000
outside.say(e < 0.08 and share.min() > 0.05, energy=e, smallest_colour=float(share.min()))
