"""Damped oscillations, 20 points, DRAGAN with soft labels, warm restarts and one resume."""
LABEL = {"sick": False, "causes": [], "kind": "sound: DRAGAN penalty, real label 0.9, warm restarts, resumed at 300", "since": None, "record": "lines"}
import copy, json, math, os, sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
T = 20

def signals(n):
    t = torch.linspace(0, 1, T)[None]
    w, ph, tau = 6 + 4 * torch.rand(n, 1), 2 * math.pi * torch.rand(n, 1), 0.4 + torch.rand(n, 1)
    return torch.exp(-t / tau) * torch.sin(w * t + ph)

gen = nn.Sequential(nn.Linear(10, 96), nn.ELU(), nn.Linear(96, 96), nn.ELU(), nn.Linear(96, T))
dis = nn.Sequential(nn.Unflatten(1, (1, T)), nn.Conv1d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(160, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
g_opt = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.9))
d_opt = torch.optim.Adam(dis.parameters(), lr=1e-3, betas=(0.5, 0.9))
g_sch = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(g_opt, 200, eta_min=1e-4)
d_sch = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(d_opt, 200, eta_min=1e-4)
rec = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
data = signals(4000)

def dragan(x):
    xp = (x + 0.5 * x.std() * torch.rand_like(x)).requires_grad_(True)
    grad = torch.autograd.grad(dis(xp).sum(), xp, create_graph=True)[0]
    return ((grad.norm(dim=1) - 1) ** 2).mean()

for step in range(800):
    if step == 300:   # the night's job ended here; state goes through a checkpoint
        ck = copy.deepcopy([o.state_dict() for o in (gen, dis, g_opt, d_opt, g_sch, d_sch)])
        for o, s in zip((gen, dis, g_opt, d_opt, g_sch, d_sch), ck):
            o.load_state_dict(s)
    x = data[torch.randint(len(data), (64,))]
    fake = gen(torch.randn(64, 10))
    dr, df = dis(x), dis(fake.detach())
    d_loss = F.binary_cross_entropy_with_logits(dr, torch.full_like(dr, 0.9)) + F.binary_cross_entropy_with_logits(df, torch.zeros_like(df)) + dragan(x)
    d_opt.zero_grad(); d_loss.backward()
    nn.utils.clip_grad_norm_(dis.parameters(), 5.0)
    d_opt.step()
    gl = dis(fake)
    g_loss = F.binary_cross_entropy_with_logits(gl, torch.ones_like(gl))
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    g_sch.step(); d_sch.step()
    rec.step(d_loss=d_loss, g_loss=g_loss)
rec.close()

def energy(a, b):
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
with torch.no_grad():
    e = energy(gen(torch.randn(1000, 10)), signals(1000))
print(json.dumps({"outcome": {"energy": e}, "well": e < 0.05}))
