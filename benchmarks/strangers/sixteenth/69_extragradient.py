"""Gidel et al. (2019): Wasserstein game with weight clipping solved by extrapolation from the past with averaging; a copula of two uniforms."""
LABEL = {"sick": False, "causes": [], "kind": "a hand-written optimistic optimizer that moves weights back and forth, critic clipped to a small box, scores and generator gradients of the order of 0.001, five critic steps", "since": None, "record": "lines"}
import os, sys, math
import torch
from torch import nn
from torch.optim import Optimizer
import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1)
torch.manual_seed(SEED)


class OptimisticRMS(Optimizer):
    """w <- w - 2 lr u_t + lr u_{t-1}, with u the RMS-normalised gradient"""

    def __init__(self, params, lr, rho=0.98, clip=None):
        super().__init__(params, dict(lr=lr, rho=rho, clip=clip))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if not st:
                    st["v"] = p.grad.square()
                    st["u"] = torch.zeros_like(p)
                st["v"].mul_(group["rho"]).addcmul_(p.grad, p.grad, value=1 - group["rho"])
                u = p.grad / (st["v"].sqrt() + 1e-12)
                p.add_(u, alpha=-2 * group["lr"]).add_(st["u"], alpha=group["lr"])
                st["u"] = u
                if group["clip"]:
                    p.clamp_(-group["clip"], group["clip"])


def copula(n):
    """Gaussian copula, rho 0.8, uniform margins on [-1, 1]"""
    a = torch.randn(n, 1)
    b = 0.8 * a + 0.6 * torch.randn(n, 1)
    return torch.erf(torch.cat([a, b], 1) / math.sqrt(2))


def net(i, h, o, act):
    return nn.Sequential(nn.Linear(i, h), act, nn.Linear(h, h), act, nn.Linear(h, o))


G = nn.Sequential(net(4, 48, 2, nn.ReLU()), nn.Hardtanh(-1.05, 1.05))
C = net(2, 64, 1, nn.LeakyReLU(0.2))
CLIP = 0.1
with torch.no_grad():
    for p in C.parameters():
        p.clamp_(-CLIP, CLIP)
opt_c = OptimisticRMS(C.parameters(), 5e-4, clip=CLIP)
opt_g = OptimisticRMS(G.parameters(), 3e-4)
recorder = Recorder(sys.argv[1], generator=G, discriminator=C, generator_optimizer=opt_g, discriminator_optimizer=opt_c)
mean_iterate = [p.detach().clone() for p in G.parameters()]

T = 1800
for t in range(T):
    if t > T // 2:
        opt_g.param_groups[0]["lr"] = 3e-4 * 2 * (1 - t / T)
        opt_c.param_groups[0]["lr"] = 5e-4 * max(0.2, 2 * (1 - t / T))
    for _ in range(5):
        x = copula(128)
        with torch.no_grad():
            y = G(torch.randn(128, 4))
        sx, sy = C(x), C(y)
        w = sy.mean() - sx.mean()
        opt_c.zero_grad(); w.backward(); opt_c.step()
    y = G(torch.randn(128, 4))
    sg = C(y)
    lg = -sg.mean()
    opt_g.zero_grad(); lg.backward(); opt_g.step()
    with torch.no_grad():
        for m, p in zip(mean_iterate, G.parameters()):
            m.lerp_(p, 0.01)
    recorder.step(real_logits=sx, fake_logits=sy, d_loss=w, g_loss=lg, real=x, fake=y)
recorder.close()

with torch.no_grad():
    for m, p in zip(mean_iterate, G.parameters()):
        p.copy_(m)
    s, ref = G(torch.randn(4000, 4)), copula(4000)
e = outside.energy(s, ref)
rho, want = torch.corrcoef(s.T)[0, 1].item(), torch.corrcoef(ref.T)[0, 1].item()
sd = s.std(0).tolist()
outside.say(e < 0.02 and abs(rho - want) < 0.12 and all(0.48 < v < 0.68 for v in sd), energy=e, rho=rho, true_rho=want, sd_x=sd[0], sd_y=sd[1])
