"""Forecasts for a series that turns up or down: conditional GAN with a reconstruction term next to the adversarial one, weights as in pix2pix."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse", "stagnation"], "kind": "the reconstruction term with weight 100 outweighs the adversarial loss, G gives the mean future and ignores the noise", "since": 0, "record": "automatic"}
import os, sys, random
import numpy as np, torch
from torch import nn
import gandiag, outside

cfg = {"seed": int(os.environ.get("SEED", "0")), "past": 12, "future": 12, "nz": 6, "width": 96, "lr": 5e-4, "batch": 96, "iters": 2500, "lambda_rec": 100.0, "r1": 0.1}
random.seed(cfg["seed"]); np.random.seed(cfg["seed"]); torch.manual_seed(cfg["seed"]); torch.set_num_threads(1)

def make(n):
    """A slow wave; then the level drifts up or down, each in half of the cases."""
    t = torch.arange(cfg["past"] + cfg["future"]) / 12.0
    wave = 0.3 * torch.sin(2 * np.pi * (t + torch.rand(n, 1)))
    sign = torch.randint(0, 2, (n, 1)) * 2.0 - 1
    drift = sign * (0.8 + 0.2 * torch.rand(n, 1)) * torch.relu(t - 1)
    s = wave + drift + 0.02 * torch.randn(n, len(t))
    return s[:, :cfg["past"]], s[:, cfg["past"]:]

class G_(nn.Module):
    def __init__(self):
        super().__init__()
        w = cfg["width"]
        self.body = nn.Sequential(nn.Linear(cfg["past"] + cfg["nz"], w), nn.LayerNorm(w), nn.SiLU(), nn.Linear(w, w), nn.SiLU(), nn.Linear(w, cfg["future"]))
    def forward(self, past):
        return self.body(torch.cat([past, torch.randn(len(past), cfg["nz"])], 1))

class D_(nn.Module):
    def __init__(self):
        super().__init__()
        w = cfg["width"]
        self.body = nn.Sequential(nn.Linear(cfg["past"] + cfg["future"], w), nn.SiLU(), nn.Linear(w, w), nn.SiLU(), nn.Linear(w, 1))
    def forward(self, past, future):
        return self.body(torch.cat([past, future], 1))

G, D = G_(), D_()
g_opt = torch.optim.AdamW(G.parameters(), lr=cfg["lr"], betas=(0.5, 0.99), weight_decay=1e-4)
d_opt = torch.optim.AdamW(D.parameters(), lr=cfg["lr"], betas=(0.5, 0.99), weight_decay=1e-4)
gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)
adv, rec = nn.BCEWithLogitsLoss(), lambda a, b: (a - b).pow(2).sum(1).mean()
ones, zeros = torch.ones(cfg["batch"], 1), torch.zeros(cfg["batch"], 1)
for it in range(cfg["iters"]):
    past, future = make(cfg["batch"])
    guess = G(past)
    f = future.clone().requires_grad_()
    out = D(past, f)
    penalty = torch.autograd.grad(out.sum(), f, create_graph=True)[0].pow(2).sum(1).mean()
    loss_d = adv(out, ones) + adv(D(past, guess.detach()), zeros) + cfg["r1"] * penalty
    d_opt.zero_grad(); loss_d.backward(); d_opt.step()
    loss_g = adv(D(past, guess), ones) + cfg["lambda_rec"] * rec(guess, future)
    g_opt.zero_grad(); loss_g.backward(); g_opt.step()

past, future = make(1000)
with torch.no_grad():
    s = G(past)
e = outside.energy(torch.cat([past, s], 1), torch.cat([past, future], 1))
up = (s[:, -1] > 0.4).float().mean().item(); down = (s[:, -1] < -0.4).float().mean().item()
outside.say(e < 0.04 and min(up, down) > 0.25, energy=e, up=up, down=down)
