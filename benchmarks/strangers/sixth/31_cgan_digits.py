"""Conditional DCGAN on the 8x8 digits: the label goes to G by an embedding and to D as extra planes."""
import os
import torch, torch.nn as nn
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "since": 0, "record": "attach",
         "kind": "the fakes are made for random labels but judged with the labels of the real batch, in both steps: the condition is noise"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


class Generator(nn.Module):
    def __init__(self, nz=24, classes=10):
        super().__init__()
        self.emb = nn.Embedding(classes, 16)
        self.fc = nn.Sequential(nn.Linear(nz + 16, 32 * 4), nn.BatchNorm1d(32 * 4), nn.ReLU())
        self.up = nn.Sequential(nn.ConvTranspose2d(32, 24, 4, 2, 1), nn.BatchNorm2d(24), nn.ReLU(),
                                nn.ConvTranspose2d(24, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z, y):
        h = self.fc(torch.cat([z, self.emb(y)], 1))
        return self.up(h.view(-1, 32, 2, 2))


class Discriminator(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.planes = nn.Embedding(classes, 64)
        self.net = nn.Sequential(nn.Conv2d(2, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 48, 4, 2, 1), nn.LeakyReLU(0.2),
                                 nn.Flatten(), nn.Linear(192, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x, y):
        return self.net(torch.cat([x, self.planes(y).view(-1, 1, 8, 8)], 1)).squeeze(1)


images, labels = outside.digits()
netG, netD = Generator(), Discriminator()
optG = torch.optim.Adam(netG.parameters(), 1e-3, betas=(0.5, 0.99))
optD = torch.optim.Adam(netD.parameters(), 6e-4, betas=(0.5, 0.99))
bce = nn.BCEWithLogitsLoss()
BATCH = 32

for it in range(1200):
    idx = torch.randint(0, len(images), (BATCH,))
    x, y = images[idx], labels[idx]
    y_gen = torch.randint(0, 10, (BATCH,))
    fake = netG(torch.randn(BATCH, 24), y_gen)

    optD.zero_grad()
    out_real, out_fake = netD(x, y), netD(fake.detach(), y)
    lossD = bce(out_real, torch.full((BATCH,), 0.9)) + bce(out_fake, torch.zeros(BATCH))
    lossD.backward()
    optD.step()

    optG.zero_grad()
    lossG = bce(netD(fake, y), torch.ones(BATCH))
    lossG.backward()
    optG.step()

netG.eval()
want = torch.arange(10).repeat(60)
with torch.no_grad():
    sample = netG(torch.randn(600, 24), want)
classes, near, acc = outside.digit_quality(sample, want)
outside.say(classes >= 9 and near < 1.5 and acc > 0.8, classes=classes, near=near, acc=acc)
