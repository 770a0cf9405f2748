"""A coupled GAN whose loop calls trunk, branches and head one by one."""
import itertools
import sys

import torch
from torch import nn

torch.manual_seed(0)
trunk, ga, gb = nn.Sequential(nn.Linear(8, 32), nn.ReLU()), nn.Linear(32, 16), nn.Linear(32, 16)
da, db, head = nn.Linear(16, 32), nn.Linear(16, 32), nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(32, 1))
g_opt = torch.optim.Adam(itertools.chain(trunk.parameters(), ga.parameters(), gb.parameters()), 2e-4)
d_opt = torch.optim.Adam(itertools.chain(da.parameters(), db.parameters(), head.parameters()), 2e-4)
bce = nn.BCEWithLogitsLoss()
for step in range(20):
    a, b = torch.tanh(torch.randn(8, 16)), torch.tanh(1 + torch.randn(8, 16))
    code = trunk(torch.randn(8, 8))
    fa, fb = ga(code), gb(code)
    d_opt.zero_grad()
    loss = 0
    for x, branch, target in ((a, da, 1.0), (b, db, 1.0), (fa.detach(), da, 0.0), (fb.detach(), db, 0.0)):
        loss = loss + bce(head(branch(x)), torch.full((8, 1), target))
    loss.backward()
    d_opt.step()
    g_opt.zero_grad()
    (bce(head(da(fa)), torch.ones(8, 1)) + bce(head(db(fb)), torch.ones(8, 1))).backward()
    g_opt.step()
    print(step, loss.item())
torch.save({"g": trunk.state_dict(), "d": head.state_dict()}, sys.argv[1])
