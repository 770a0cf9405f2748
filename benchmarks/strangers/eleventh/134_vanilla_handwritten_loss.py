"""Vanilla GAN from the 2014 paper, losses written out by hand, on digits flattened to 64 pixels."""
LABEL = {"sick": True, "causes": ["numerical_failure", "learning_rate", "discriminator_dominance"], "kind": "D with lr 1e-2, log of a saturated sigmoid without epsilon gives inf, then nan weights", "since": None, "record": "lines"}
import os, sys, random
import numpy as np, torch, torch.nn as nn
import gandiag, outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

X = outside.digits()[0].flatten(1)
class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(20, 160), nn.Linear(160, 160), nn.Linear(160, 64)
        self.b1, self.b2 = nn.BatchNorm1d(160), nn.BatchNorm1d(160)
    def forward(self, z):
        return torch.tanh(self.l3(torch.relu(self.b2(self.l2(torch.relu(self.b1(self.l1(z))))))))
class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(64, 256), nn.Linear(256, 256), nn.Linear(256, 1)
        self.dp = nn.Dropout(.2)
    def forward(self, x):
        h = self.dp(nn.functional.leaky_relu(self.l1(x), .2))
        return torch.sigmoid(self.l3(self.dp(nn.functional.leaky_relu(self.l2(h), .2))) * 8)   # sharper decision
G, D = Gen(), Disc()
g_opt, d_opt = torch.optim.Adam(G.parameters(), 4e-4, (.5, .999)), torch.optim.Adam(D.parameters(), 1e-2, (.5, .999))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
for k in range(2200):
    x = X[torch.randint(0, len(X), (64,))]
    fake = G(torch.randn(64, 20))
    d_loss = -(torch.log(D(x)) + torch.log(1 - D(fake.detach()))).mean()
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = -torch.log(D(fake)).mean()
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()
G.eval()
with torch.no_grad(): s = G(torch.randn(1000, 20))
cl, q, _ = outside.digit_quality(s)
outside.say(cl >= 9 and q < 1.45, classes=cl, distance=q, finite=bool(torch.isfinite(s).all()))
