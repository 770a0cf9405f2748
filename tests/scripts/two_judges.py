"""One generator against two discriminators: D2GAN, where one rewards reals and the other fakes."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import softplus

torch.manual_seed(35)


def critic():
    return nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1), nn.Softplus())


G, D1, D2 = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 6)), critic(), critic()
opts = {name: torch.optim.Adam(net.parameters(), 1e-3) for name, net in (("g", G), ("d1", D1), ("d2", D2))}
own = {"g_norm": [], "real": []}
for step in range(16):
    x, fake = torch.randn(16, 6), G(torch.randn(16, 4))
    on_real = D1(x)
    loss1 = -(0.2 * on_real.log()).mean() + D1(fake.detach()).mean()
    loss2 = D2(x).mean() - (0.1 * D2(fake.detach()).log()).mean()
    for name, loss in (("d1", loss1), ("d2", loss2)):
        opts[name].zero_grad()
        loss.backward()
        opts[name].step()
    own["real"].append(on_real.mean().item())
    opts["g"].zero_grad()
    (softplus(-D1(fake)).mean() + (0.1 * D2(fake).log()).mean()).backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in G.parameters()]).norm().item())
    opts["g"].step()
    print(step, loss1.item(), loss2.item())
torch.save({"g": G.state_dict(), "d1": D1.state_dict(), "d2": D2.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
