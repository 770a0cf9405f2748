"""Ring of eight Gaussians with a discriminator that I keep smooth through dropout and weight decay."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "stagnation"], "kind": "Adam weight_decay=0.3 on the discriminator shrinks it to a constant, G has nothing to learn from", "since": 0, "record": "attach"}
import os, math, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

ang = torch.arange(8) * 2 * math.pi / 8
centres = 2 * torch.stack([ang.cos(), ang.sin()], 1)
def real(n):
    return centres[torch.randint(8, (n,))] + 0.08 * torch.randn(n, 2)

hp = dict(z=8, hidden=128, lr=1e-3, betas=(0.5, 0.99), batch=128, dropout=0.1, weight_decay=0.3, steps=3500)

netG = nn.Sequential(nn.Linear(hp["z"], hp["hidden"]), nn.ReLU(), nn.Linear(hp["hidden"], hp["hidden"]), nn.ReLU(), nn.Linear(hp["hidden"], 2))
netD = nn.Sequential(nn.Linear(2, hp["hidden"]), nn.LeakyReLU(0.2), nn.Dropout(hp["dropout"]),
                     nn.Linear(hp["hidden"], hp["hidden"]), nn.LeakyReLU(0.2), nn.Linear(hp["hidden"], 1))
optG = torch.optim.Adam(netG.parameters(), lr=hp["lr"], betas=hp["betas"])
optD = torch.optim.Adam(netD.parameters(), lr=hp["lr"], betas=hp["betas"], weight_decay=hp["weight_decay"])

for it in range(hp["steps"]):
    x = real(hp["batch"])
    fake = netG(torch.randn(hp["batch"], hp["z"]))
    optD.zero_grad()
    lossD = F.softplus(-netD(x)).mean() + F.softplus(netD(fake.detach())).mean()
    lossD.backward(); optD.step()
    optG.zero_grad()
    lossG = F.softplus(-netD(fake)).mean()
    lossG.backward(); optG.step()

with torch.no_grad():
    s = netG(torch.randn(1000, hp["z"]))
n, near = outside.modes(s, centres, 0.4)
e = outside.energy(s, real(1000))
outside.say(n >= 7 and near > 0.7 and e < 0.05, modes=n, near=near, energy=e)
