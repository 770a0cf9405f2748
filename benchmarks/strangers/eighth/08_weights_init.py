"""Simple GAN in PyTorch - the tutorial version with a custom initialisation."""
import os, random
import numpy as np
import torch
import torch.nn as nn
from torch.autograd import Variable
import outside

LABEL = {"sick": True, "causes": ["dead_layers", "vanishing_generator_gradient", "stagnation", "mode_collapse"],
         "kind": "weights_init draws every Linear weight from N(1, 0.02) (the BatchNorm line used for all layers): every unit of a layer computes the same, G's tanh saturates at once",
         "since": 0, "record": "attach"}

seed = int(os.environ.get("SEED", "0"))
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)
torch.set_num_threads(1)

latent_dim = 32
batch_size = 64
n_epochs = 60
img_shape = (1, 8, 8)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1 or classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0.0)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(*block(latent_dim, 64, normalize=False), *block(64, 128), *block(128, 128),
                                   nn.Linear(128, int(np.prod(img_shape))), nn.Tanh())

    def forward(self, z):
        img = self.model(z)
        return img.view(img.size(0), *img_shape)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.model = nn.Sequential(nn.Linear(int(np.prod(img_shape)), 128), nn.LeakyReLU(0.2, inplace=True),
                                   nn.Linear(128, 64), nn.LeakyReLU(0.2, inplace=True),
                                   nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, img):
        return self.model(img.view(img.size(0), -1))


adversarial_loss = nn.BCELoss()
generator = Generator()
discriminator = Discriminator()
generator.apply(weights_init)

mnist, _ = outside.digits()
dataloader = torch.utils.data.DataLoader(mnist, batch_size=batch_size, shuffle=True, drop_last=True)
optimizer_G = torch.optim.Adam(generator.parameters(), lr=0.0005, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=0.0003, betas=(0.5, 0.999))

for epoch in range(n_epochs):
    for i, imgs in enumerate(dataloader):
        valid = Variable(torch.Tensor(imgs.size(0), 1).fill_(1.0), requires_grad=False)
        fake = Variable(torch.Tensor(imgs.size(0), 1).fill_(0.0), requires_grad=False)
        real_imgs = Variable(imgs.type(torch.FloatTensor))

        # -- Train Generator
        optimizer_G.zero_grad()
        z = Variable(torch.FloatTensor(np.random.normal(0, 1, (imgs.shape[0], latent_dim))))
        gen_imgs = generator(z)
        g_loss = adversarial_loss(discriminator(gen_imgs), valid)
        g_loss.backward()
        optimizer_G.step()

        # -- Train Discriminator
        optimizer_D.zero_grad()
        real_loss = adversarial_loss(discriminator(real_imgs), valid)
        fake_loss = adversarial_loss(discriminator(gen_imgs.detach()), fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        optimizer_D.step()
    if epoch % 20 == 0:
        print("[Epoch %d/%d] [D loss: %f] [G loss: %f]" % (epoch, n_epochs, d_loss.item(), g_loss.item()))

with torch.no_grad():
    gen_imgs = generator(torch.randn(1000, latent_dim))
e = outside.energy(gen_imgs, mnist)
classes, nearest, _ = outside.digit_quality(gen_imgs)
outside.say(e < 0.1 and classes >= 6, energy=e, classes=classes, nearest=nearest)
