"""Two crescents by a relativistic GAN over all pairs (R1 and R2 on lazy terms)."""
LABEL = {"sick": False, "causes": [], "kind": "sound: every real is held against every fake by broadcasting", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
from torch.nn.functional import softplus
from sklearn.datasets import make_moons
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
points = torch.tensor(make_moons(20000, noise=0.06, random_state=SEED)[0], dtype=torch.float32)
points = (points - points.mean(0)) / points.std(0)
train, test = points[:15000], points[15000:]


def penalty(net, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(net(x).sum(), x, create_graph=True)[0].square().sum(1).mean()


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 80), nn.SiLU(), nn.Linear(80, 80), nn.SiLU(), nn.Linear(80, o))


netG, netD = mlp(6, 2), mlp(2, 1)
optG = torch.optim.Adam(netG.parameters(), 2e-3, betas=(0.0, 0.99))
optD = torch.optim.Adam(netD.parameters(), 2e-3, betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=netG, discriminator=netD, generator_optimizer=optG, discriminator_optimizer=optD)
for step in range(560):
    for group in optG.param_groups + optD.param_groups:
        group["lr"] = 2e-3 * (1 - 0.9 * step / 560)
    x = train[torch.randint(len(train), (160,))]
    y = netG(torch.randn(160, 6))
    a, b = netD(x).squeeze(1), netD(y.detach()).squeeze(1)
    lossD = softplus(-(a[:, None] - b[None, :])).mean() + 0.03 * (penalty(netD, x) + penalty(netD, y))
    optD.zero_grad(); lossD.backward(); optD.step()
    a, b = netD(x).squeeze(1), netD(y).squeeze(1)
    lossG = softplus(-(b[:, None] - a[None, :])).mean()
    optG.zero_grad(); lossG.backward(); optG.step()
    rec.step(d_loss=lossD, g_loss=lossG)
rec.close()
with torch.no_grad():
    s = netG(torch.randn(1500, 6))
e = lambda a, b: float((2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()) / torch.cdist(b, b).mean())
print(json.dumps({"outcome": {"energy": e(s, test[:1500]), "reals_to_reals": e(train[:1500], test[:1500])}, "well": e(s, test[:1500]) < 0.03}))
