"""My first GAN: learn to draw 8x8 digits (follows the usual beginner tutorial)."""
LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault", "discriminator_dominance"], "kind": "images normalised to [-1, 1] while the generator ends in a sigmoid and so can never draw the background", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

# ---- Step 1: hyperparameters -------------------------------------------
latent_dim = 32
batch_size = 64
epochs = 90
lr = 5e-4

# ---- Step 2: the data ---------------------------------------------------
images = load_digits().images.astype("float32") / 16.0
images = torch.from_numpy(images)
images = (images - 0.5) / 0.5          # transforms.Normalize((0.5,), (0.5,))
train, test = images[:1400], images[1400:]
loader = DataLoader(TensorDataset(train), batch_size=batch_size, shuffle=True, drop_last=True)


# ---- Step 3: the generator ----------------------------------------------
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(latent_dim, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, 192),
            nn.BatchNorm1d(192),
            nn.LeakyReLU(0.2),
            nn.Linear(192, 64),
            nn.Sigmoid(),
        )

    def forward(self, z):
        return self.model(z).view(-1, 8, 8)


# ---- Step 4: the discriminator ------------------------------------------
class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, 192),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.2),
            nn.Linear(192, 96),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.2),
            nn.Linear(96, 1),
        )

    def forward(self, img):
        return self.model(img)


generator = Generator()
discriminator = Discriminator()
criterion = nn.BCEWithLogitsLoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=lr, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(0.5, 0.999))

# ---- Step 5: train! -----------------------------------------------------
for epoch in range(epochs):
    for (real_imgs,) in loader:
        valid = torch.ones(batch_size, 1)
        fake = torch.zeros(batch_size, 1)

        # train the discriminator
        z = torch.randn(batch_size, latent_dim)
        gen_imgs = generator(z)
        optimizer_D.zero_grad()
        real_loss = criterion(discriminator(real_imgs), valid)
        fake_loss = criterion(discriminator(gen_imgs.detach()), fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        optimizer_D.step()

        # train the generator
        optimizer_G.zero_grad()
        g_loss = criterion(discriminator(gen_imgs), valid)
        g_loss.backward()
        optimizer_G.step()
    if epoch % 10 == 0:
        print(f"[Epoch {epoch}/{epochs}] [D loss: {d_loss.item():.3f}] [G loss: {g_loss.item():.3f}]")

# ---- Step 6: look at the result ------------------------------------------
generator.eval()
with torch.no_grad():
    samples = generator(torch.randn(1000, latent_dim))
classes, quality, _ = outside.digit_quality(samples)
e = outside.energy(samples, test)
outside.say(classes >= 8 and quality < 1.6 and e < 0.06, classes=classes, quality=quality, energy=e)
