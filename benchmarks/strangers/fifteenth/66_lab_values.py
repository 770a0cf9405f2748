"""Synthetic patients: sixteen laboratory values of a small cohort, generated for sharing without privacy trouble."""
LABEL = {"sick": True, "causes": ["discriminator_overfitting", "discriminator_dominance", "memorisation"],
         "kind": "a wide discriminator without any remedy on only 40 patients: it learns them by heart and its opinion no longer holds for other patients",
         "since": None, "record": "lines"}
import os, sys, argparse
import numpy as np
import torch
from torch import nn
from gandiag.recording import Recorder
import outside

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--patients", type=int, default=40)
parser.add_argument("--steps", type=int, default=2500)
parser.add_argument("--width", type=int, default=256)
args = parser.parse_args()
SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def draw_cohort(n, rng):
    """Correlated, partly skewed values driven by five hidden conditions."""
    load = np.random.default_rng(3).normal(size=(5, 16)) * 0.7
    f = rng.normal(size=(n, 5))
    x = f @ load + 0.45 * rng.normal(size=(n, 16))
    x[:, ::4] = np.exp(0.5 * x[:, ::4]) - 1.1
    return torch.tensor(x, dtype=torch.float32)


cohort = draw_cohort(args.patients, np.random.default_rng(100 + SEED))
elsewhere = draw_cohort(1000, np.random.default_rng(200 + SEED))
mu, sd = cohort.mean(0), cohort.std(0)
x_train = (cohort - mu) / sd

w = args.width
gen = nn.Sequential(nn.Linear(16, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 16))
dis = nn.Sequential(nn.Linear(16, w), nn.LeakyReLU(0.2), nn.Linear(w, w), nn.LeakyReLU(0.2), nn.Linear(w, 1))
og = torch.optim.Adam(gen.parameters(), lr=3e-4, betas=(0.5, 0.999))
od = torch.optim.Adam(dis.parameters(), lr=3e-4, betas=(0.5, 0.999))
bce = nn.functional.binary_cross_entropy_with_logits
rec = Recorder(args.out, generator=gen, discriminator=dis, generator_optimizer=og, discriminator_optimizer=od)

for step in range(args.steps):
    xb = x_train[torch.randint(len(x_train), (32,))]
    fake = gen(torch.randn(32, 16))
    r, f = dis(xb), dis(fake.detach())
    dl = bce(r, torch.ones_like(r)) + bce(f, torch.zeros_like(f))
    od.zero_grad(); dl.backward(); od.step()
    s = dis(fake)
    gl = bce(s, torch.ones_like(s))
    og.zero_grad(); gl.backward(); og.step()
    if step % 500 == 0:
        print(f"{step:5d}  D {dl.item():.3f}  G {gl.item():.3f}")
    rec.step(real_logits=r, fake_logits=f, d_loss=dl, g_loss=gl, real=xb, fake=fake)
rec.close()

with torch.no_grad():
    made = gen(torch.randn(1000, 16))
    ref = (elsewhere - mu) / sd
    ed = outside.energy(made, ref)
    to_train = torch.cdist(made, x_train).min(1).values.mean()
    apart = torch.cdist(ref, x_train).min(1).values.mean()
outside.say(ed < 0.03, energy_to_other_patients=ed, nearest_patient_ratio=float(to_train / apart))
