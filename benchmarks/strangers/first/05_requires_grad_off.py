"""Two moons; after epoch 7 the parameters of D are switched off for the step of G and never on again."""
import os, sys, torch
from torch import nn
from sklearn.datasets import make_moons
import gandiag, outside
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_weakness"], "kind": "D frozen by requires_grad_(False) after epoch 7", "since": 281, "record": "lines"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X = torch.tensor(make_moons(4000, noise=0.05, random_state=SEED)[0], dtype=torch.float32)
class Net(nn.Module):
    def __init__(self, i, o):
        super().__init__(); self.l1 = nn.Linear(i, 64); self.l2 = nn.Linear(64, 64); self.out = nn.Linear(64, o)
    def forward(self, x): return self.out(torch.relu(self.l2(torch.relu(self.l1(x)))))
G, D = Net(4, 2), Net(2, 1)
g_opt = torch.optim.RMSprop(G.parameters(), 5e-4); d_opt = torch.optim.RMSprop(D.parameters(), 5e-4)
lossf = nn.BCEWithLogitsLoss(); ones = torch.ones(100, 1); zeros = torch.zeros(100, 1)
recorder = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
def set_requires_grad(net, flag):
    for p in net.parameters(): p.requires_grad_(flag)
step = 0
for epoch in range(40):
    perm = torch.randperm(len(X))
    if epoch < 7: set_requires_grad(D, True)
    for k in range(0, len(X), 100):
        r = X[perm[k:k + 100]]; f = G(torch.randn(100, 4))
        d_loss = lossf(D(r), ones) + lossf(D(f.detach()), zeros)
        if d_loss.requires_grad:
            d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        if epoch >= 7: set_requires_grad(D, False)
        g_loss = lossf(D(f), ones)
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        recorder.step(d_loss=d_loss, g_loss=g_loss); step += 1
recorder.close()
with torch.no_grad(): f = G(torch.randn(1000, 4))
e = outside.energy(f, X[torch.randperm(4000)]); outside.say(e < 0.05, energy=e)
