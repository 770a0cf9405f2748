"""Generate daily weather (temperature, humidity, pressure, wind) with a GAN; Kaggle notebook."""
import os
import sys
import random
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "mode_collapse", "oscillation"], "kind": "the activations of D were forgotten: three linear layers in a row can only compare means", "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED)
random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

# build the data frame
days = np.arange(3650)
season = 2 * np.pi * days / 365.25
rng = np.random.default_rng(8)
storm = rng.random(len(days)) < 0.2
df = pd.DataFrame({
    "temp": 12 - 11 * np.cos(season) + rng.normal(0, 1.5, len(days)),
    "humidity": 70 + 12 * np.cos(season + 0.5) + 10 * storm + rng.normal(0, 3, len(days)),
    "pressure": 1015 - 18 * storm + rng.normal(0, 3, len(days)),
    "wind": rng.gamma(3, 1.2, len(days)) + 6 * storm,
})
df = (df - df.mean()) / df.std()
values = torch.tensor(df.values).float()

latent_size = 8

generator = nn.Sequential(
    nn.Linear(latent_size, 64), nn.ReLU(),
    nn.Linear(64, 64), nn.ReLU(),
    nn.Linear(64, values.shape[1]),
)


class D(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.fc1 = nn.Linear(n, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 1)
        self.relu = nn.LeakyReLU(0.2)

    def forward(self, x):
        x = self.fc1(x)
        x = self.fc2(x)
        return torch.sigmoid(self.fc3(x))


discriminator = D(values.shape[1])
g_optim = torch.optim.Adam(generator.parameters(), lr=0.001, betas=(0.5, 0.999))
d_optim = torch.optim.Adam(discriminator.parameters(), lr=0.001, betas=(0.5, 0.999))
criterion = nn.BCELoss()
rec = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=g_optim,
                       discriminator_optimizer=d_optim, discriminator_output="probability", automatic=True)

num_steps, bs = 2000, 100
real_y, fake_y = torch.ones(bs, 1), torch.zeros(bs, 1)
for step in range(num_steps):
    batch = values[np.random.choice(len(values), bs, replace=False)]
    generated = generator(torch.randn(bs, latent_size))
    # the discriminator sees one stacked batch
    d_optim.zero_grad()
    pred = discriminator(torch.cat([batch, generated.detach()]))
    d_loss = criterion(pred, torch.cat([real_y, fake_y]))
    d_loss.backward()
    d_optim.step()

    g_optim.zero_grad()
    g_loss = criterion(discriminator(generated), real_y)
    g_loss.backward()
    g_optim.step()
rec.close()

with torch.no_grad():
    sample = generator(torch.randn(1000, latent_size))
e = outside.energy(sample, values[torch.randperm(len(values))][:1000])
outside.say(e < 0.06, energy=e)
