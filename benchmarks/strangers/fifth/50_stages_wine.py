"""The wine table in two stages: a hot one and, from its saved weights, a cooler one."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "the second stage builds the generator anew from the checkpoint while its optimizer still holds the old one's weights: G stands still", "since": 150, "record": "attach"}
import io, os
import torch
from torch import nn
from sklearn.datasets import load_wine
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
rows = torch.tensor(load_wine().data, dtype=torch.float32)
rows = (rows - rows.mean(0)) / rows.std(0)
NZ, DIM = 16, rows.shape[1]

def make_generator():
    return nn.Sequential(nn.Linear(NZ, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, DIM))

def make_discriminator():
    return nn.Sequential(nn.Linear(DIM, 96), nn.LeakyReLU(0.2), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))

def save(path, **parts):
    torch.save({k: v.state_dict() for k, v in parts.items()}, path)

def batch(n=64):
    x = rows[torch.randint(len(rows), (n,))]
    return x + 0.15 * torch.randn_like(x)

def stage(generator, discriminator, opt_g, opt_d, steps):
    bce = nn.BCEWithLogitsLoss()
    for _ in range(steps):
        real, fake = batch(), generator(torch.randn(64, NZ))
        a, b = discriminator(real.requires_grad_(True)), discriminator(fake.detach())
        slope, = torch.autograd.grad(a.sum(), real, create_graph=True)
        loss = bce(a, torch.ones_like(a)) + bce(b, torch.zeros_like(b)) + 1.0 * slope.pow(2).sum(1).mean()
        opt_d.zero_grad(); loss.backward(); opt_d.step()
        c = discriminator(fake)
        loss = bce(c, torch.ones_like(c))
        opt_g.zero_grad(); loss.backward(); opt_g.step()

generator, discriminator = make_generator(), make_discriminator()
opt_g = torch.optim.Adam(generator.parameters(), 4e-4, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(discriminator.parameters(), 8e-4, betas=(0.5, 0.99))
stage(generator, discriminator, opt_g, opt_d, 150)

checkpoint = io.BytesIO()
save(checkpoint, generator=generator, discriminator=discriminator, opt_g=opt_g, opt_d=opt_d)
checkpoint.seek(0)
state = torch.load(checkpoint)
generator = make_generator()
generator.load_state_dict(state["generator"])
discriminator.load_state_dict(state["discriminator"])
opt_g.load_state_dict(state["opt_g"])
opt_d.load_state_dict(state["opt_d"])
for o in (opt_g, opt_d):
    for g in o.param_groups:
        g["lr"] *= 0.7
stage(generator, discriminator, opt_g, opt_d, 1350)

with torch.no_grad():
    s = generator(torch.randn(1000, NZ))
e = outside.energy(s, batch(1000))
outside.say(e < 0.03, energy=e)
