"""Ring of Gaussians with WGAN-GP whose penalty is computed without create_graph, so it does nothing."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
from dataclasses import dataclass
LABEL = {"sick": True, "causes": ["objective_fault", "divergence"], "kind": "gradient penalty without create_graph (no Lipschitz constraint)", "since": 0, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
@dataclass
class Config:
    latent: int = 4; hidden: int = 64; batch: int = 128; lr: float = 1e-3; n_critic: int = 3; lam: float = 10; steps: int = 700
cfg = Config()
a = torch.arange(6) * math.pi / 3; centres = torch.stack([a.cos(), a.sin()], 1) * 1.5
def batch(): return centres[torch.randint(6, (cfg.batch,))] + 0.08 * torch.randn(cfg.batch, 2)
def build(i, o): return nn.Sequential(nn.Linear(i, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, o))
def gradient_penalty(critic, r, f):
    eps = torch.rand(len(r), 1); mix = (eps * r + (1 - eps) * f).detach().requires_grad_(True)
    grad = torch.autograd.grad(critic(mix).sum(), mix)[0]
    return ((grad.norm(2, dim=1) - 1) ** 2).mean()
G, C = build(cfg.latent, 2), build(2, 1)
og, oc = torch.optim.Adam(G.parameters(), cfg.lr, (0.5, 0.9)), torch.optim.Adam(C.parameters(), cfg.lr, (0.5, 0.9))
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=C, generator_optimizer=og, discriminator_optimizer=oc, automatic=True):
    for it in range(cfg.steps):
        for _ in range(cfg.n_critic):
            r = batch(); f = G(torch.randn(cfg.batch, cfg.latent)).detach()
            loss = C(f).mean() - C(r).mean() + cfg.lam * gradient_penalty(C, r, f)
            oc.zero_grad(); loss.backward(); oc.step()
        og.zero_grad(); (-C(G(torch.randn(cfg.batch, cfg.latent))).mean()).backward(); og.step()
with torch.no_grad(): f = G(torch.randn(1000, cfg.latent))
r = centres[torch.randint(6, (1000,))] + 0.08 * torch.randn(1000, 2)
e = outside.energy(f, r); m, good = outside.modes(f, centres, 0.35); outside.say(e < 0.05 and m >= 5, energy=e, modes=m, good=good)
