"""Wave heights and periods by BCE; D is trained by SGD with a rate meant for Adam."""
LABEL = {"sick": True, "causes": ["discriminator_weakness", "learning_rate", "mode_collapse"], "kind": "D: plain SGD at 1e-4, G: Adam at 1e-3", "since": 0, "record": "attach"}
import json, os
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


def sea(n):
    height = torch.exp(0.4 * torch.randn(n))
    period = 5 + 2 * height.sqrt() + 0.5 * torch.randn(n)
    return torch.stack([(height - 1.1) / 0.45, (period - 7.05) / 0.65], 1)


class SeaGAN:
    def __init__(self):
        self.g = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.d = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
        self.g_optimizer = torch.optim.Adam(self.g.parameters(), lr=1e-3)
        self.d_optimizer = torch.optim.SGD(self.d.parameters(), lr=1e-4)
        self.criterion = nn.BCELoss()

    def step_d(self, x):
        self.d_optimizer.zero_grad()
        n = len(x)
        a = self.criterion(self.d(x), torch.ones(n, 1))
        a.backward()
        b = self.criterion(self.d(self.g(torch.randn(n, 4)).detach()), torch.zeros(n, 1))
        b.backward()
        self.d_optimizer.step()
        return (a + b).item()

    def step_g(self, n):
        self.g_optimizer.zero_grad()
        loss = self.criterion(self.d(self.g(torch.randn(n, 4))), torch.ones(n, 1))
        loss.backward()
        self.g_optimizer.step()
        return loss.item()


gan = SeaGAN()
for i in range(700):
    ld = gan.step_d(sea(100))
    lg = gan.step_g(100)
    if i % 200 == 0:
        print(f"{i:5d} {ld:.3f} {lg:.3f}")
with torch.no_grad():
    s, r = gan.g(torch.randn(1000, 4)), sea(1000)
e = float((2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()) / torch.cdist(r, r).mean())
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.08}))
