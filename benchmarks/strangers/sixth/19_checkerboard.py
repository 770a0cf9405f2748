"""Checkerboard in the plane; config dict, plain loop."""
import os, sys
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "oscillation", "divergence"],
         "kind": "copy-paste: the generator's gradients are cleared twice, the discriminator's never; they add up, "
                 "the generator's wish included", "since": 0,
         "record": "lines"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

config = {"latent": 4, "hidden": 160, "batch": 160, "lr": 7e-4, "steps": 2000, "r1": 0.1}


def checkerboard(n):
    x = torch.rand(n, 2) * 4 - 2
    keep = (x.floor().sum(1) % 2 == 0)
    x[~keep, 0] = torch.where(x[~keep, 0] + 1 > 2, x[~keep, 0] - 3, x[~keep, 0] + 1)
    return x


def make(i, o):
    h = config["hidden"]
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, h),
            nn.LeakyReLU(0.2), nn.Linear(h, o))


G, D = make(config["latent"], 2), make(2, 1)
g_opt = torch.optim.Adam(G.parameters(), config["lr"], betas=(0.0, 0.99))
d_opt = torch.optim.Adam(D.parameters(), config["lr"], betas=(0.0, 0.99))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)


def latent():
    return torch.randn(config["batch"], config["latent"])


for step in range(config["steps"]):
    real, fake = checkerboard(config["batch"]).requires_grad_(), G(latent()).detach()
    g_opt.zero_grad()  # clear before D
    real_logits, fake_logits = D(real), D(fake)
    slope = torch.autograd.grad(real_logits.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
    d_loss = nn.functional.softplus(-real_logits).mean() + nn.functional.softplus(fake_logits).mean() + config["r1"] * slope
    d_loss.backward()
    d_opt.step()

    g_opt.zero_grad()
    g_loss = nn.functional.softplus(-D(G(latent()))).mean()
    g_loss.backward()
    g_opt.step()
    rec.step(d_loss=d_loss, g_loss=g_loss, real_logits=real_logits, fake_logits=fake_logits)
rec.close()

with torch.no_grad():
    s = G(torch.randn(2000, config["latent"]))
inside = ((s.abs() < 2).all(1) & (s.floor().sum(1) % 2 == 0)).float().mean().item()
cells = [(a, b) for a in range(-2, 2) for b in range(-2, 2) if (a + b) % 2 == 0]
covered = sum(((s.floor() == torch.tensor([a, b]).float()).all(1).float().mean().item() > 0.04) for a, b in cells)
e = outside.energy(s, checkerboard(1000))
outside.say(e < 0.01 and covered == 8 and inside > 0.78, energy=e, squares=covered, inside=inside)
