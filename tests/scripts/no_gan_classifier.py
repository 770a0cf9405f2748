"""No GAN: a classifier whose features and head are called apart."""
import sys

import torch
from torch import nn

torch.manual_seed(19)
features, head = nn.Sequential(nn.Linear(10, 16), nn.ReLU()), nn.Linear(16, 3)
opt = torch.optim.Adam([*features.parameters(), *head.parameters()], 1e-3)
for i in range(40):
    x, y = torch.randn(16, 10), torch.randint(3, (16,))
    loss = nn.functional.cross_entropy(head(features(x)), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
print("loss", loss.item())
torch.save(head.state_dict(), sys.argv[1])
