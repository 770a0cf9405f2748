"""An MLP GAN in which the generator steps before the discriminator, with argparse and a loop over epochs."""
import argparse
import json

import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--n_epochs", type=int, default=3)
parser.add_argument("--latent_dim", type=int, default=20)
opt = parser.parse_args()
print(opt.n_epochs, opt.latent_dim)
torch.manual_seed(1)
np.random.seed(1)
img_shape = (1, 8, 8)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(*block(opt.latent_dim, 32, normalize=False), *block(32, 64), nn.Linear(64, int(np.prod(img_shape))), nn.Tanh())

    def forward(self, z):
        img = self.model(z)
        return img.view(img.size(0), *img_shape)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.model = nn.Sequential(nn.Linear(int(np.prod(img_shape)), 64), nn.LeakyReLU(0.2, inplace=True), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, img):
        return self.model(img.view(img.size(0), -1))


adversarial_loss = torch.nn.BCELoss()
generator = Generator()
discriminator = Discriminator()
dataloader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tanh(torch.randn(160, *img_shape)), torch.zeros(160)), batch_size=16, shuffle=True)
optimizer_G = torch.optim.Adam(generator.parameters(), lr=0.0002, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
for epoch in range(opt.n_epochs):
    for i, (imgs, _) in enumerate(dataloader):
        valid = torch.ones(imgs.size(0), 1)
        fake = torch.zeros(imgs.size(0), 1)
        real_imgs = imgs.type(torch.FloatTensor)
        optimizer_G.zero_grad()
        z = torch.FloatTensor(np.random.normal(0, 1, (imgs.shape[0], opt.latent_dim)))
        gen_imgs = generator(z)
        g_loss = adversarial_loss(discriminator(gen_imgs), valid)
        g_loss.backward()
        own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
        optimizer_G.step()
        optimizer_D.zero_grad()
        on_real, on_fake = discriminator(real_imgs), discriminator(gen_imgs.detach())
        real_loss = adversarial_loss(on_real, valid)
        fake_loss = adversarial_loss(on_fake, fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        own["real"].append(torch.logit(on_real).mean().item())
        own["fake"].append(torch.logit(on_fake).mean().item())
        own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters()]).norm().item())
        optimizer_D.step()
        print("[Epoch %d/%d] [Batch %d/%d] [D loss: %f] [G loss: %f]" % (epoch, opt.n_epochs, i, len(dataloader), d_loss.item(), g_loss.item()))
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, opt.out)
json.dump(own, open(opt.out + ".json", "w"))
