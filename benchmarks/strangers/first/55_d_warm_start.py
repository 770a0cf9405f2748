"""Digits; D is trained alone for 60 steps, then 2 D steps for each of G; losses of WGAN-GP kind; sound."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": False, "causes": [], "kind": "critic trained alone at first, WGAN-GP digits, AUC near 1", "since": None, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
class Critic(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1))
    def forward(self, x): return self.f(x).squeeze(1)
G = nn.Sequential(nn.Linear(24, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))); D = Critic()
og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.0, 0.9)), torch.optim.Adam(D.parameters(), 5e-4, (0.0, 0.9))
def critic_step():
    r = x[torch.randint(len(x), (64,))]; f = G(torch.randn(64, 24)).detach(); a = torch.rand(64, 1, 1, 1); m = (a * r + (1 - a) * f).requires_grad_()
    gp = ((torch.autograd.grad(D(m).sum(), m, create_graph=True)[0].flatten(1).norm(dim=1) - 1) ** 2).mean(); od.zero_grad(); (D(f).mean() - D(r).mean() + 10 * gp).backward(); od.step()
for _ in range(60): critic_step()
for it in range(700):
    critic_step(); critic_step(); og.zero_grad(); (-D(G(torch.randn(64, 24))).mean()).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(800, 24))
c, n, _ = outside.digit_quality(f); e = outside.energy(f, x[torch.randperm(len(x))]); outside.say(c >= 9 and n < 1.7 and e < 0.05, classes=c, nn=n, energy=e)
