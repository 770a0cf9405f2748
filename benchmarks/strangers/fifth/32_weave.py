"""Notebook: woven textures of two thread widths, 12x12, with WGAN-GP."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "gradient penalty taken without create_graph: it is a number in the loss and constrains nothing", "since": 0, "record": "attach"}
# In[1]
import os, math
import torch
import torch.nn as nn
import torch.autograd as autograd

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

# In[2]
S = 12
def weave(n):
    i = torch.arange(S).float()
    f = torch.tensor([1.0, 2.0])[torch.randint(0, 2, (n,))].view(n, 1, 1) * 2 * math.pi / S
    a, b = (2 * math.pi * torch.rand(n, 1, 1) for _ in range(2))
    img = 0.5 * torch.sin(f * i.view(1, S, 1) + a) + 0.5 * torch.sin(f * i.view(1, 1, S) + b)
    return (img + 0.05 * torch.randn(n, S, S)).unsqueeze(1)

# In[3]
nz, bs, lam, critic_iters, iters = 12, 32, 10.0, 4, 300
netG = nn.Sequential(nn.Linear(nz, 32 * 9), nn.ReLU(True), nn.Unflatten(1, (32, 3, 3)), nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.ReLU(True), nn.ConvTranspose2d(24, 1, 4, 2, 1))
netD = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(32 * 9, 1))
optimizerD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizerG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.9))

# In[4]
def calc_gradient_penalty(netD, real_data, fake_data):
    alpha = torch.rand(real_data.size(0), 1, 1, 1)
    interpolates = alpha * real_data + (1 - alpha) * fake_data
    interpolates.requires_grad_(True)
    disc_interpolates = netD(interpolates)
    gradients = autograd.grad(outputs=disc_interpolates, inputs=interpolates, grad_outputs=torch.ones_like(disc_interpolates), retain_graph=True)[0]
    return ((gradients.flatten(1).norm(2, dim=1) - 1) ** 2).mean() * lam

# In[5]
for iteration in range(iters):
    for _ in range(critic_iters):
        real = weave(bs)
        with torch.no_grad():
            fake = netG(torch.randn(bs, nz))
        D_cost = netD(fake).mean() - netD(real).mean() + calc_gradient_penalty(netD, real, fake)
        optimizerD.zero_grad()
        D_cost.backward()
        optimizerD.step()
    G_cost = -netD(netG(torch.randn(bs, nz))).mean()
    optimizerG.zero_grad()
    G_cost.backward()
    optimizerG.step()

# In[6]
import outside
with torch.no_grad():
    s = netG(torch.randn(1000, nz))
e = outside.energy(s, weave(1000))
outside.say(e < 0.05, energy=e)
