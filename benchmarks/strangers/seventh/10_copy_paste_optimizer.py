"""A GAN: copy paste optimizer."""
import os, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault"],
         "kind": "copy and paste: the discriminator's optimizer was given the generator's parameters; D never learns",
         "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
np.random.seed(SEED)
random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)


def load_rings(n):
    """thick and thin rings, grey, 14x14, zero centred"""
    r = np.random.uniform(2.5, 5.5, (n, 1, 1))
    w = np.random.uniform(0.7, 1.6, (n, 1, 1))
    c = np.random.uniform(-1, 1, (n, 2, 1, 1))
    y, x = np.mgrid[-6.5:7.5, -6.5:7.5]
    d = np.sqrt((y - c[:, 0]) ** 2 + (x - c[:, 1]) ** 2) - r
    im = np.exp(-(d / w) ** 2)
    return torch.tensor(2 * im - 1, dtype=torch.float32).unsqueeze(1)


class Generator(nn.Module):
    def __init__(self, latent_dim=16):
        super(Generator, self).__init__()
        self.l1 = nn.Sequential(nn.Linear(latent_dim, 32 * 7 * 7), nn.LeakyReLU(0.2))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(32),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.Conv2d(32, 32, 3, stride=1, padding=1),
            nn.BatchNorm2d(32, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, 1, 3, stride=1, padding=1),
            nn.Tanh(),
        )

    def forward(self, z):
        out = self.l1(z)
        return self.conv_blocks(out.view(out.shape[0], 32, 7, 7))


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.model = nn.Sequential(
            nn.Conv2d(1, 16, 3, 2, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(16, 32, 3, 2, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Flatten(), nn.Linear(32 * 16, 1))

    def forward(self, img):
        return self.model(img)


generator = Generator()
discriminator = Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
adversarial_loss = nn.BCEWithLogitsLoss()

data = load_rings(2000)
for step in range(420):
    imgs = data[torch.randint(0, len(data), (64,))]
    valid, fake = torch.ones(64, 1), torch.zeros(64, 1)

    optimizer_G.zero_grad()
    gen_imgs = generator(torch.randn(64, 16))
    g_loss = adversarial_loss(discriminator(gen_imgs), valid)
    g_loss.backward()
    optimizer_G.step()

    optimizer_D.zero_grad()
    discriminator.zero_grad()
    real_loss = adversarial_loss(discriminator(imgs), valid)
    fake_loss = adversarial_loss(discriminator(gen_imgs.detach()), fake)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()

    if step % 210 == 0:
        print("[Step %d] [D loss: %f] [G loss: %f]" % (step, d_loss.item(), g_loss.item()))

with torch.no_grad():
    e = outside.energy(generator(torch.randn(1000, 16)), load_rings(1000))
outside.say(e < 0.12, energy=e)
