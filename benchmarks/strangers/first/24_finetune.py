"""Ring of Gaussians: a generator pretrained by regression-free GAN training is loaded and fine-tuned gently, rotated ring."""
import os, sys, math, torch
from torch import nn
import gandiag, outside
LABEL = {"sick": False, "causes": [], "kind": "fine-tuning from a trained state", "since": None, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
def ring(turn): a = torch.arange(8) * math.pi / 4 + turn; return 1.5 * torch.stack([a.cos(), a.sin()], 1)
def draw(c, n=128): return c[torch.randint(8, (n,))] + 0.1 * torch.randn(n, 2)
mk = lambda i, o: nn.Sequential(nn.Linear(i, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, o))
def gan_epoch(G, D, og, od, c, steps):
    for _ in range(steps):
        r, f = draw(c), G(torch.randn(128, 8)).detach(); e = torch.rand(128, 1); m = (e * r + (1 - e) * f).requires_grad_()
        gr, = torch.autograd.grad(D(m).sum(), m, create_graph=True)
        od.zero_grad(); (D(f).mean() - D(r).mean() + 2 * ((gr.norm(dim=1) - 1) ** 2).mean()).backward(); od.step()
        if _ % 2: og.zero_grad(); (-D(G(torch.randn(128, 8))).mean()).backward(); og.step()
def adam(n, lr): return torch.optim.Adam(n.parameters(), lr, (0.0, 0.9))
G, D = mk(8, 2), mk(2, 1); gan_epoch(G, D, adam(G, 1e-3), adam(D, 2e-3), ring(0), 1600)
og, od = adam(G, 2e-4), adam(D, 4e-4)
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True): gan_epoch(G, D, og, od, ring(0.15), 1200)
with torch.no_grad(): f = G(torch.randn(1000, 8))
m, g = outside.modes(f, ring(0.15), 0.35); e = outside.energy(f, draw(ring(0.15), 1000)); outside.say(m >= 7 and e < 0.03, modes=m, good=g, energy=e)
