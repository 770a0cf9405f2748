"""GAN for sine waves: each sample is 16 points of a sine with random phase and frequency (Real Python style tutorial)."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"], "kind": "copy-paste: the generator's optimizer was built on discriminator.parameters()", "since": 0, "record": "attach"}
import os, random, math
import numpy as np
import torch
from torch import nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

train_data_length = 2048
phase = 2 * math.pi * torch.rand(train_data_length, 1)
freq = 0.8 + 0.7 * torch.rand(train_data_length, 1)
t = torch.linspace(0, 2 * math.pi, 16)[None]
train_data = torch.sin(freq * t + phase)
train_labels = torch.zeros(train_data_length)
train_set = [(train_data[i], train_labels[i]) for i in range(train_data_length)]
train_loader = torch.utils.data.DataLoader(train_set, batch_size=64, shuffle=True)

class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(16, 128), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(64, 1), nn.Sigmoid())
    def forward(self, x):
        return self.model(x)

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 16))
    def forward(self, x):
        return self.model(x)

discriminator = Discriminator()
generator = Generator()
lr = 0.0007
num_epochs = 110
loss_function = nn.BCELoss()
optimizer_discriminator = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))
optimizer_generator = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))

for epoch in range(num_epochs):
    for n, (real_samples, _) in enumerate(train_loader):
        bs = len(real_samples)
        real_samples_labels = torch.ones((bs, 1))
        latent_space_samples = torch.randn((bs, 8))
        generated_samples = generator(latent_space_samples)
        generated_samples_labels = torch.zeros((bs, 1))
        all_samples = torch.cat((real_samples, generated_samples))
        all_samples_labels = torch.cat((real_samples_labels, generated_samples_labels))
        discriminator.zero_grad()
        output_discriminator = discriminator(all_samples)
        loss_discriminator = loss_function(output_discriminator, all_samples_labels)
        loss_discriminator.backward()
        optimizer_discriminator.step()
        latent_space_samples = torch.randn((bs, 8))
        generator.zero_grad()
        generated_samples = generator(latent_space_samples)
        output_discriminator_generated = discriminator(generated_samples)
        loss_generator = loss_function(output_discriminator_generated, real_samples_labels)
        loss_generator.backward()
        optimizer_generator.step()
    if epoch % 20 == 0:
        print(f"Epoch: {epoch} Loss D.: {loss_discriminator} Loss G.: {loss_generator}")

with torch.no_grad():
    s = generator(torch.randn(1000, 8))
e = outside.energy(s, train_data)
outside.say(e < 0.05, energy=e)
