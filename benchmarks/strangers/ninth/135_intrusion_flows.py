"""Intrusion flows."""
# Oversampling network-intrusion flows with a GAN (imbalanced classes)
import os, random, sys
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
import gandiag
import outside

LABEL = {"sick": True, "causes": ["mode_dropping", "mode_collapse"],
         "kind": "strongly imbalanced traffic classes (94 % benign): the GAN never produces the rare attacks", "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

CLASSES = ["benign", "dos", "probe", "r2l", "u2r"]
COUNTS = [3760, 100, 60, 40, 40]

r = np.random.default_rng(21)
centre = 1.1 * r.standard_normal((5, 8))
centre[0] = 0
X = np.concatenate([c + (0.35 if i == 0 else 0.25) * r.standard_normal((n, 8)) for i, (c, n) in enumerate(zip(centre, COUNTS))])
flows = torch.tensor(X, dtype=torch.float32)
kind = torch.tensor(np.repeat(np.arange(5), COUNTS))
loader = DataLoader(TensorDataset(flows, kind), batch_size=100, shuffle=True, drop_last=True)


def block(i, o):
    return [nn.Linear(i, o), nn.LeakyReLU(0.2)]


generator = nn.Sequential(*block(12, 64), *block(64, 64), nn.Linear(64, 8))
discriminator = nn.Sequential(*block(8, 64), *block(64, 64), nn.Linear(64, 1))
g_adam = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.999))
d_adam = torch.optim.Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.999))
logistic = nn.BCEWithLogitsLoss()

with gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator,
                      generator_optimizer=g_adam, discriminator_optimizer=d_adam, automatic=True):
    for epoch in range(70):
        for x, _ in loader:
            y_real, y_fake = torch.ones(len(x), 1), torch.zeros(len(x), 1)
            x_fake = generator(torch.randn(len(x), 12))
            dl = (logistic(discriminator(x), y_real) + logistic(discriminator(x_fake.detach()), y_fake)) / 2
            d_adam.zero_grad(); dl.backward(); d_adam.step()
            gl = logistic(discriminator(x_fake), y_real)
            g_adam.zero_grad(); gl.backward(); g_adam.step()
        if epoch % 25 == 24:
            print(epoch + 1, round(dl.item(), 3), round(gl.item(), 3))

with torch.no_grad():
    made = generator(torch.randn(4000, 12)).numpy()
d = np.linalg.norm(made[:, None] - centre[None], axis=2)
rare = [(int(((d.argmin(1) == k) & (d[:, k] < 1.2)).sum())) for k in range(1, 5)]
found = sum(n >= 0.5 * c for n, c in zip(rare, COUNTS[1:]))
outside.say(found >= 2, rare_classes_found=found, rare_rows=sum(rare))
