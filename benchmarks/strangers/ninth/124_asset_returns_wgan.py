"""Asset returns wgan."""
# WGAN for joint daily returns of five assets (term project, quantitative risk)
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import outside

LABEL = {
    "sick": True,
    "causes": ["objective_fault"],
    "kind": "WGAN with clipping: the sign of the generator's loss is wrong, G walks where the critic scores lowest",
    "since": 0,
    "record": "attach",
}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

n_assets, nz = 5, 8
batch_size, n_critic, clip_value = 64, 5, 0.05
iterations = 700

# --- simulated market: one factor + idiosyncratic noise, student-t tails
rs = np.random.RandomState(11)
beta = np.array([0.9, 0.7, 0.5, 0.3, -0.4])
market = rs.standard_t(5, size=(4000, 1)) * 0.009
idio = rs.standard_t(6, size=(4000, n_assets)) * np.array([0.005, 0.006, 0.004, 0.007, 0.005])
returns = market * beta + idio + np.array([4e-4, 3e-4, 2e-4, 3e-4, 1e-4])
X = (returns - returns.mean(0)) / returns.std(0)
X = torch.from_numpy(X.astype(np.float32))
train, test = X[:3000], X[3000:]

netG = nn.Sequential(nn.Linear(nz, 48), nn.LeakyReLU(0.1), nn.Linear(48, 48), nn.LeakyReLU(0.1), nn.Linear(48, n_assets))
netD = nn.Sequential(nn.Linear(n_assets, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizerD = optim.RMSprop(netD.parameters(), lr=5e-4)
optimizerG = optim.RMSprop(netG.parameters(), lr=5e-4)

one = torch.tensor(1.0)
mone = -one
for it in range(iterations):
    for p in netD.parameters():
        p.requires_grad_(True)
    for _ in range(n_critic):
        for p in netD.parameters():
            p.data.clamp_(-clip_value, clip_value)
        netD.zero_grad()
        real = train[torch.randint(0, len(train), (batch_size,))]
        errD_real = netD(real).mean()
        errD_real.backward(mone)
        noise = torch.randn(batch_size, nz)
        with torch.no_grad():
            fake = netG(noise)
        errD_fake = netD(fake).mean()
        errD_fake.backward(one)
        wasserstein = errD_real - errD_fake
        optimizerD.step()

    for p in netD.parameters():
        p.requires_grad_(False)
    netG.zero_grad()
    noise = torch.randn(batch_size, nz)
    errG = netD(netG(noise)).mean()
    errG.backward()
    optimizerG.step()
    if it % 350 == 0:
        print("it %d  W %.4f  G %.4f" % (it, wasserstein.item(), errG.item()))

with torch.no_grad():
    sample = netG(torch.randn(1000, nz))
e = outside.energy(sample, test)
outside.say(e < 0.12, energy=e)
