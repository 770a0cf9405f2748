"""InfoGAN whose discriminator is called in two pieces: a shared body, then a head of its own for each question."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(42)
body = nn.Sequential(nn.Linear(8, 24), nn.LeakyReLU(0.1), nn.Linear(24, 12), nn.LeakyReLU(0.1))
netD = nn.Sequential(nn.Linear(12, 1), nn.Sigmoid())
netQ = nn.Sequential(nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 4))
kinds = nn.Linear(12, 3)  # of real and made alike: a second head, stepped with the first
netG = nn.Sequential(nn.Linear(6 + 4, 24), nn.ReLU(), nn.Linear(24, 8))
optimD = torch.optim.Adam([{"params": body.parameters()}, {"params": [*netD.parameters(), *kinds.parameters()]}], lr=1e-3)
optimG = torch.optim.Adam([{"params": netG.parameters()}, {"params": netQ.parameters()}], lr=1e-3)
bce, ce = nn.BCELoss(), nn.CrossEntropyLoss()
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for i in range(18):
    optimD.zero_grad()
    probs_real = netD(body(torch.randn(16, 8))).view(-1)
    bce(probs_real, torch.ones(16)).backward()
    code = torch.randint(0, 4, (16,))
    fake = netG(torch.cat([torch.randn(16, 6), torch.eye(4)[code]], 1))
    probs_fake = netD(body(fake.detach())).view(-1)
    bce(probs_fake, torch.zeros(16)).backward()
    (0.1 * (kinds(body(torch.randn(16, 8))).square().mean() + kinds(body(fake.detach())).square().mean())).backward()
    own["real"].append(torch.logit(probs_real).mean().item())
    own["fake"].append(torch.logit(probs_fake).mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for net in (body, netD) for p in net.parameters()]).norm().item())
    optimD.step()
    optimG.zero_grad()
    features = body(fake)
    helped = 0.1 * ce(netQ(features), code) + 0.1 * kinds(features).square().mean()
    (bce(netD(features).view(-1), torch.ones(16)) + helped).backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in netG.parameters()]).norm().item())
    optimG.step()
    print(i, probs_real.mean().item())
torch.save({"g": netG.state_dict(), "d": netD.state_dict(), "body": body.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
