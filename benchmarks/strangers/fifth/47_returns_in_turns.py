"""Daily returns of five assets (Student t, three degrees): long turns of the critic, short turns of the generator."""
LABEL = {"sick": False, "causes": [], "kind": "well: twenty critic updates, then five generator updates in a row; heavy-tailed data", "since": None, "record": "attach"}
import copy, os
import numpy as np
import torch
from torch import nn
import outside

torch.set_num_threads(1)
seed = int(os.environ.get("SEED", "0"))
torch.manual_seed(seed)
rng = np.random.default_rng(seed)
A = 5
chol = torch.tensor(np.linalg.cholesky(0.5 * np.eye(A) + 0.5), dtype=torch.float32)

def returns(n):
    g = torch.tensor(rng.standard_normal((n, A)), dtype=torch.float32) @ chol.T
    w = torch.tensor(rng.chisquare(3, (n, 1)) / 3, dtype=torch.float32)
    return 0.05 + g / w.sqrt()

class Market(nn.Module):
    def __init__(self, nz=12):
        super().__init__()
        self.nz = nz
        self.net = nn.Sequential(nn.Linear(nz, 96), nn.Tanh(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, A))
    def forward(self, z):
        return torch.sinh(self.net(z))
    def draw(self, n): return self(torch.randn(n, self.nz))

class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(A, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 1))
    def forward(self, r): return self.net(torch.asinh(r))

market, critic = Market(), Critic()
slow = copy.deepcopy(market)
opt_m = torch.optim.NAdam(market.parameters(), lr=3e-4, betas=(0.0, 0.9))
opt_c = torch.optim.NAdam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
history = returns(8000)
N = 96

def slope_penalty(r, f):
    t = torch.rand(N, 1)
    m = torch.sinh(t * torch.asinh(r) + (1 - t) * torch.asinh(f)).requires_grad_(True)
    g, = torch.autograd.grad(critic(m).sum(), m, create_graph=True)
    g = g * (1 + m.detach() ** 2).sqrt()              # slope per unit of asinh(r)
    return (g.norm(dim=1) - 1).clamp(min=0).pow(2).mean()

def critic_turn(k):
    for _ in range(k):
        r, f = history[torch.randint(len(history), (N,))], market.draw(N).detach()
        loss = critic(f).mean() - critic(r).mean() + 10 * slope_penalty(r, f)
        opt_c.zero_grad(); loss.backward(); opt_c.step()

def market_turn(k):
    for _ in range(k):
        loss = -critic(market.draw(N)).mean()
        opt_m.zero_grad(); loss.backward(); opt_m.step()
        with torch.no_grad():
            for a, b in zip(slow.parameters(), market.parameters()):
                a.mul_(0.98).add_(b, alpha=0.02)

for turn in range(110):
    critic_turn(20)
    market_turn(5)

with torch.no_grad():
    s, r = torch.asinh(slow.draw(2000)), torch.asinh(returns(2000))
e = outside.energy(s, r)
tail = float((s.abs() > r.abs().quantile(0.98)).float().mean() / 0.02)
corr = float((torch.corrcoef(s.T) - torch.corrcoef(r.T)).abs().max())
outside.say(e < 0.02 and 0.4 < tail < 2.2 and corr < 0.2, energy=e, tail=tail, correlation_error=corr)
