"""DCGAN-like with nn.DataParallel around both nets; the generator is updated every third step, with old-style zero_grad after the step."""
import json
import sys

import torch
from torch import nn

torch.manual_seed(31)


class Net(nn.Module):
    def __init__(self, *sizes, last):
        super().__init__()
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers[:-1], last)

    def forward(self, x):
        return self.main(x)


device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
netG = nn.DataParallel(Net(8, 32, 12, last=nn.Tanh())).to(device)
netD = nn.DataParallel(Net(12, 32, 1, last=nn.Identity())).to(device)
optimizerD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(16, 1, device=device), torch.zeros(16, 1, device=device)
own = {"real": [], "fake": [], "g_norm": []}
for it in range(36):
    netD.zero_grad(set_to_none=False)
    out_real = netD(torch.randn(16, 12, device=device).tanh())
    out_fake = netD.module(netG(torch.randn(16, 8, device=device)).detach())
    errD = criterion(out_real, ones) + criterion(out_fake, zeros)
    errD.backward()
    optimizerD.step()
    if it % 3 == 2:
        own["real"].append(out_real.mean().item())
        own["fake"].append(out_fake.mean().item())
        netG.zero_grad(set_to_none=False)
        errG = criterion(netD(netG(torch.randn(16, 8, device=device))), ones)
        errG.backward()
        own["g_norm"].append(torch.cat([p.grad.flatten() for p in netG.parameters()]).norm().item())
        optimizerG.step()
        print(it, errD.item(), errG.item())
torch.save({"g": netG.module.state_dict(), "d": netD.module.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
