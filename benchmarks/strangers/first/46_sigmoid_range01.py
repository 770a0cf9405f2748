"""Digits in [0, 1] with a sigmoid generator, soft and noisy labels, DropBlock-free simple conv D; sound."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": False, "causes": [], "kind": "[0,1] data with sigmoid G, noisy labels", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits(); x01 = (x + 1) / 2
class DigitGenerator(nn.Module):
    def __init__(self): super().__init__(); self.layers = nn.Sequential(nn.Linear(24, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Linear(192, 64), nn.Sigmoid())
    def forward(self, z): return self.layers(z).reshape(-1, 1, 8, 8)
G = DigitGenerator(); D = nn.Sequential(nn.Conv2d(1, 24, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.2), nn.Conv2d(24, 48, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.2), nn.Flatten(), nn.Linear(192, 1), nn.Sigmoid())
og, od = torch.optim.Adam(G.parameters(), 1e-3, (0.5, 0.999)), torch.optim.Adam(D.parameters(), 1e-3, (0.5, 0.999)); bce = nn.BCELoss()
for step in range(1000):
    r = x01[torch.randint(len(x), (48,))]; f = G(torch.randn(48, 24))
    od.zero_grad(); (bce(D(r), 0.8 + 0.2 * torch.rand(48, 1)) + bce(D(f.detach()), 0.15 * torch.rand(48, 1))).backward(); od.step()
    og.zero_grad(); bce(D(f), torch.ones(48, 1)).backward(); og.step()
G.eval()
with torch.no_grad(): f = G(torch.randn(800, 24)) * 2 - 1
c, n, _ = outside.digit_quality(f); e = outside.energy(f, x[torch.randperm(len(x))]); outside.say(c >= 9 and n < 1.6 and e < 0.06, classes=c, nn=n, energy=e)
