"""WGAN with weight clipping at 0.1 and RMSprop on a two-bump mixture; Trainer with callbacks; sound."""
import os, sys, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "WGAN clip 0.1 RMSprop", "since": None, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def data(n): return torch.randn(n, 2) * 0.4 + torch.where(torch.rand(n, 1) < 0.5, 1.0, -1.0) * torch.tensor([1.0, 0.5])
class Trainer:
    def __init__(self): self.G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)); self.C = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)); self.og, self.oc = torch.optim.RMSprop(self.G.parameters(), 5e-4), torch.optim.RMSprop(self.C.parameters(), 5e-4)
    def run(self, n):
        for _ in range(n):
            for _ in range(4):
                l = self.C(self.G(torch.randn(128, 4)).detach()).mean() - self.C(data(128)).mean(); self.oc.zero_grad(); l.backward(); self.oc.step()
                for p in self.C.parameters(): p.data.clamp_(-0.1, 0.1)
            self.og.zero_grad(); (-self.C(self.G(torch.randn(128, 4))).mean()).backward(); self.og.step()
t = Trainer()
with gandiag.Recorder(sys.argv[1], generator=t.G, discriminator=t.C, generator_optimizer=t.og, discriminator_optimizer=t.oc, automatic=True): t.run(600)
with torch.no_grad(): f = t.G(torch.randn(1000, 4))
e = outside.energy(f, data(1000)); outside.say(e < 0.03, energy=e)
