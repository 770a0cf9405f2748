"""Two encoders with a common head, three optimizers and one loss: everybody helps everybody."""
import sys

import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.manual_seed(42)
left, right, head = (nn.Sequential(nn.Linear(n, 12), nn.ReLU(), nn.Linear(12, m)) for n, m in ((5, 6), (7, 6), (6, 3)))
optimizers = [torch.optim.Adam(net.parameters(), 1e-2) for net in (head, left, right)]
for step in range(10):
    labels = torch.randint(3, (16,))
    loss = cross_entropy(head(left(torch.randn(16, 5))), labels) + cross_entropy(head(right(torch.randn(16, 7))), labels)
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    print(step, loss.item())
torch.save({"l": left.state_dict(), "r": right.state_dict(), "h": head.state_dict()}, sys.argv[1])
