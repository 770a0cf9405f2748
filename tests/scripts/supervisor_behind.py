"""TimeGAN's joint phase: a supervisor stands behind the generator, and D is shown what both make, and an encoder's codes as reals."""
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


def net(i, o):
    return nn.Sequential(nn.Linear(i, 16), nn.ReLU(), nn.Linear(16, o))


embedder, recovery, generator, supervisor, discriminator = net(3, 4), net(4, 3), net(6, 4), net(4, 4), net(4, 1)
g_opt = torch.optim.Adam([*generator.parameters(), *supervisor.parameters()], 1e-3)
d_opt = torch.optim.Adam(discriminator.parameters(), 1e-3)
e_opt = torch.optim.Adam([*embedder.parameters(), *recovery.parameters()], 1e-3)
bce = F.binary_cross_entropy_with_logits
ones, zeros = torch.ones(16, 1), torch.zeros(16, 1)
for step in range(20):
    x = torch.randn(16, 3) + 1
    g_opt.zero_grad()
    made = generator(torch.rand(16, 6))
    loss = bce(discriminator(supervisor(made)), ones) + bce(discriminator(made), ones)
    (loss + F.mse_loss(supervisor(embedder(x).detach()), embedder(x).detach())).backward()
    g_opt.step()
    e_opt.zero_grad()
    F.mse_loss(recovery(embedder(x)), x).backward()
    e_opt.step()
    made = generator(torch.rand(16, 6)).detach()
    real, behind, fake = discriminator(embedder(x).detach()), discriminator(supervisor(made).detach()), discriminator(made)
    d_opt.zero_grad()
    (bce(real, ones) + bce(behind, zeros) + bce(fake, zeros)).backward()
    d_opt.step()
    print(step, loss.item())
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
