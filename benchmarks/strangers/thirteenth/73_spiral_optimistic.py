"""Spiral in the plane with optimistic Adam (Daskalakis et al.), both players updated at the same time from one backward pass each."""
LABEL = {"sick": False, "causes": [], "kind": "home-made optimizer with extrapolated steps, simultaneous updates, least squares with labels -1/1", "since": None, "record": "attach"}
import os, random
import numpy as np, torch
import outside

class OptimisticAdam(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.5, 0.99), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))
    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None: continue
                st = self.state[p]
                if not st:
                    st.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p), last=torch.zeros_like(p))
                st["t"] += 1
                st["m"].lerp_(p.grad, 1 - b1); st["v"].lerp_(p.grad ** 2, 1 - b2)
                u = (st["m"] / (1 - b1 ** st["t"])) / ((st["v"] / (1 - b2 ** st["t"])).sqrt() + group["eps"])
                p.add_(2 * u - st["last"], alpha=-group["lr"])
                st["last"] = u

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
def spiral(n):
    u = torch.rand(n, 1).sqrt() * 2.5 * np.pi + 0.5
    return 0.2 * u * torch.cat([u.cos(), u.sin()], 1) + 0.04 * torch.randn(n, 2)

gen = torch.nn.Sequential(torch.nn.Linear(3, 128), torch.nn.Tanh(), torch.nn.Linear(128, 128), torch.nn.LeakyReLU(0.2), torch.nn.Linear(128, 2))
dis = torch.nn.Sequential(torch.nn.Linear(2, 128), torch.nn.LeakyReLU(0.2), torch.nn.Linear(128, 128), torch.nn.LeakyReLU(0.2), torch.nn.Linear(128, 1))
og, od = OptimisticAdam(gen.parameters(), 3e-4), OptimisticAdam(dis.parameters(), 8e-4)
for i in range(4000):
    x, f = spiral(128), gen(torch.randn(128, 3))
    x.requires_grad_()
    dx = dis(x)
    slope = torch.autograd.grad(dx.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
    ld = (dx - 1).pow(2).mean() + (dis(f.detach()) + 1).pow(2).mean() + 0.1 * slope
    lg = (dis(f) - 1).pow(2).mean()
    gd = torch.autograd.grad(ld, list(dis.parameters()))
    gg = torch.autograd.grad(lg, list(gen.parameters()))
    for p, g in zip(dis.parameters(), gd): p.grad = g
    for p, g in zip(gen.parameters(), gg): p.grad = g
    od.step(); og.step()
s = gen(torch.randn(1000, 3)).detach()
e = outside.energy(s, spiral(1000))
near = (torch.cdist(s, spiral(2000)).min(1).values < 0.12).float().mean().item()
outside.say(e < 0.03 and near > 0.75, energy=e, near=near)
