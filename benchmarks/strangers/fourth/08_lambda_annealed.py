"""Two spirals by a Wasserstein GAN whose gradient penalty is annealed."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "oscillation"], "kind": "weight of the gradient penalty is annealed linearly and never stopped at zero: negative from 300 on", "since": 300, "record": "lines"}
import json, math, os, sys
import torch
from torch import nn, autograd
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

def spirals(n):
    t = 1 + 2.2 * torch.rand(n).sqrt() * math.pi / 2
    s = (torch.randint(2, (n,)) * 2 - 1).float()
    return torch.stack([t * t.mul(1.6).cos() * s, t * t.mul(1.6).sin() * s], 1) / 2 + 0.03 * torch.randn(n, 2)

def net(i, o, act):
    return nn.Sequential(nn.Linear(i, 80), act(), nn.Linear(80, 80), act(), nn.Linear(80, o))

def lam(step, start=2.0, end_step=300):
    return start * (1 - step / end_step)

gen, critic = net(6, 2, nn.ReLU), net(2, 1, nn.SiLU)
opt_g = torch.optim.Adam(gen.parameters(), 1e-3, betas=(0.0, 0.9))
opt_c = torch.optim.Adam(critic.parameters(), 2e-3, betas=(0.0, 0.9))
recorder = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=opt_g, discriminator_optimizer=opt_c)
for step in range(600):
    for _ in range(2):
        x, f = spirals(96), gen(torch.randn(96, 6)).detach()
        a = torch.rand(96, 1)
        h = (a * x + (1 - a) * f).requires_grad_()
        g, = autograd.grad(critic(h).sum(), h, create_graph=True)
        c_loss = critic(f).mean() - critic(x).mean() + lam(step) * (g.norm(dim=1) - 1).relu().pow(2).mean()
        opt_c.zero_grad(); c_loss.backward(); opt_c.step()
    g_loss = -critic(gen(torch.randn(96, 6))).mean()
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
    recorder.step(d_loss=c_loss, g_loss=g_loss)
recorder.close()

def energy(a, b):
    a, b = a.detach(), b.detach()
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
e = energy(gen(torch.randn(1000, 6)), spirals(1000))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.05}))
