"""Auxiliary-classifier GAN: the discriminator returns validity and classes, the generator takes labels beside noise."""
import json
import sys

import torch
import torch.nn as nn

torch.manual_seed(5)
n_classes, latent = 4, 12


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(n_classes, latent)
        self.l1 = nn.Sequential(nn.Linear(latent, 8 * 4 * 4))
        self.conv_blocks = nn.Sequential(nn.BatchNorm2d(8), nn.Upsample(scale_factor=2), nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8, 0.8), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(8, 1, 3, 1, 1), nn.Tanh())

    def forward(self, noise, labels):
        gen_input = torch.mul(self.label_emb(labels), noise)
        return self.conv_blocks(self.l1(gen_input).view(-1, 8, 4, 4))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_blocks = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(0.2, inplace=True), nn.Dropout2d(0.25), nn.Conv2d(8, 8, 3, 2, 1), nn.LeakyReLU(0.2, inplace=True))
        self.adv_layer = nn.Sequential(nn.Linear(32, 1), nn.Sigmoid())
        self.aux_layer = nn.Sequential(nn.Linear(32, n_classes), nn.Softmax(dim=1))

    def forward(self, img):
        out = self.conv_blocks(img).view(img.shape[0], -1)
        return self.adv_layer(out), self.aux_layer(out)


adversarial_loss, auxiliary_loss = nn.BCELoss(), nn.CrossEntropyLoss()
generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for i in range(20):
    real_imgs, labels = torch.tanh(torch.randn(16, 1, 8, 8)), torch.randint(0, n_classes, (16,))
    valid, fake = torch.ones(16, 1), torch.zeros(16, 1)
    optimizer_G.zero_grad()
    z, gen_labels = torch.randn(16, latent), torch.randint(0, n_classes, (16,))
    gen_imgs = generator(z, gen_labels)
    validity, pred_label = discriminator(gen_imgs)
    g_loss = 0.5 * (adversarial_loss(validity, valid) + auxiliary_loss(pred_label, gen_labels))
    g_loss.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
    optimizer_G.step()
    optimizer_D.zero_grad()
    real_pred, real_aux = discriminator(real_imgs)
    d_real_loss = (adversarial_loss(real_pred, valid) + auxiliary_loss(real_aux, labels)) / 2
    fake_pred, fake_aux = discriminator(gen_imgs.detach())
    d_fake_loss = (adversarial_loss(fake_pred, fake) + auxiliary_loss(fake_aux, gen_labels)) / 2
    d_loss = (d_real_loss + d_fake_loss) / 2
    d_loss.backward()
    own["real"].append(torch.logit(real_pred).mean().item())
    own["fake"].append(torch.logit(fake_pred).mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters()]).norm().item())
    optimizer_D.step()
    print(i, d_loss.item(), g_loss.item())
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
