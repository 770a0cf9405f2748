"""A ring of bells; the loop gives G twenty updates for each of D's."""
LABEL = {"sick": True, "causes": ["mode_collapse", "oscillation", "discriminator_weakness"], "kind": "20 G updates at a high rate per D update: all fakes run to one place, then to the next", "since": 0, "record": "attach"}
import json, math, os
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
K = 8
th = torch.arange(K) * 2 * math.pi / K
MODES = torch.stack([torch.cos(th), torch.sin(th)], 1) * 2


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(16, 64), nn.ReLU(True), nn.Linear(64, 64), nn.ReLU(True), nn.Linear(64, 2))

    def forward(self, x):
        return self.main(x)


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, 64), nn.ReLU(True), nn.Linear(64, 64), nn.ReLU(True), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, x):
        return self.main(x)


netG, netD, bce = G(), D(), nn.BCELoss()
optimG = torch.optim.Adam(netG.parameters(), lr=1e-3)
optimD = torch.optim.Adam(netD.parameters(), lr=1e-3)
ks = {"G": 20, "D": 1}
for rnd in range(120):
    for _ in range(ks["D"]):
        netD.zero_grad()
        x = MODES[torch.randint(K, (128,))] + 0.05 * torch.randn(128, 2)
        errD = bce(netD(x), torch.ones(128, 1)) + bce(netD(netG(torch.randn(128, 16)).detach()), torch.zeros(128, 1))
        errD.backward()
        optimD.step()
    for _ in range(ks["G"]):
        netG.zero_grad()
        errG = bce(netD(netG(torch.randn(128, 16))), torch.ones(128, 1))
        errG.backward()
        optimG.step()
with torch.no_grad():
    s = netG(torch.randn(2000, 16))
d, k = torch.cdist(s, MODES).min(1)
good = float((d < 0.4).float().mean())
modes = int((torch.bincount(k[d < 0.4], minlength=K) > 30).sum())
print(json.dumps({"outcome": {"good": good, "modes": modes, "spread": float(s.std(0).mean())}, "well": modes >= 6 and good > 0.6}))
