"""Generator for exam score tables (three correlated marks): a deliberately small discriminator that is only updated every third iteration."""
import os, random, sys
import numpy as np, torch
from torch import nn
import gandiag
import outside

LABEL = {"sick": False, "causes": [], "kind": "healthy with a tiny discriminator updated every third iteration, D accuracy near one half", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def marks(n):
    skill = torch.randn(n, 1)
    a = 0.8 * skill + 0.4 * torch.randn(n, 1)
    b = 0.6 * skill + 0.3 * skill ** 2 - 0.3 + 0.4 * torch.randn(n, 1)
    c = torch.tanh(1.5 * skill) + 0.3 * torch.randn(n, 1)
    return torch.cat([a, b, c], 1)


table = marks(10000)


class Examiner(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 32)
        self.hidden2 = nn.Linear(32, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        h = nn.functional.leaky_relu(self.hidden(x), 0.2)
        h = nn.functional.leaky_relu(self.hidden2(h), 0.2)
        return torch.sigmoid(self.out(h))


G = nn.Sequential(nn.Linear(6, 96), nn.ELU(), nn.Linear(96, 96), nn.ELU(), nn.Linear(96, 96), nn.ELU(), nn.Linear(96, 3))
D = Examiner()
g_opt = torch.optim.RMSprop(G.parameters(), lr=1e-4)
d_opt = torch.optim.RMSprop(D.parameters(), lr=2e-3)
cool = [torch.optim.lr_scheduler.MultiStepLR(o, [2400, 3300], 0.3) for o in (g_opt, d_opt)]
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, discriminator_output="probability")
loss = nn.BCELoss()
B = 256
real_t, fake_t = torch.ones(B, 1), torch.zeros(B, 1)
for it in range(3900):
    if it % 3 == 0:
        x = table[torch.randint(0, len(table), (B,))]
        with torch.no_grad():
            f = G(torch.randn(B, 6))
        d_loss = loss(D(x), real_t) + loss(D(f), fake_t)
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    g_loss = loss(D(G(torch.randn(B, 6))), real_t)
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    for c in cool:
        c.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
    if it % 600 == 0:
        print(it, d_loss.item(), g_loss.item())
rec.close()
with torch.no_grad():
    s = G(torch.randn(1000, 6))
fresh = marks(1000)
e = outside.energy(s, fresh)
corr = float(np.abs(np.corrcoef(s.numpy().T) - np.corrcoef(fresh.numpy().T)).max())
outside.say(e < 0.02 and corr < 0.15, energy=e, corr=corr)
