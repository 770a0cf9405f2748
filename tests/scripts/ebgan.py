"""Energy-based GAN: the discriminator is an autoencoder that returns an image and an embedding."""
import json
import sys

import torch
import torch.nn as nn

torch.manual_seed(8)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU())
        self.embedding = nn.Linear(8 * 16, 8)
        self.fc = nn.Sequential(nn.Linear(8, 8 * 16), nn.ReLU())
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 1, 3, 1, 1))

    def forward(self, img):
        out = self.down(img)
        embedding = self.embedding(out.view(out.size(0), -1))
        return self.up(self.fc(embedding).view(-1, 8, 4, 4)), embedding


generator = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
discriminator = Discriminator()
pixelwise_loss = nn.MSELoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-4)
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=2e-4)
own = {"d_norm": [], "g_norm": []}
for i in range(20):
    real_imgs = torch.tanh(torch.randn(16, 1, 8, 8))
    optimizer_G.zero_grad()
    gen_imgs = generator(torch.randn(16, 10))
    recon_imgs, img_embeddings = discriminator(gen_imgs)
    g_loss = pixelwise_loss(recon_imgs, gen_imgs.detach()) + 0.1 * img_embeddings.pow(2).mean()
    g_loss.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
    optimizer_G.step()
    optimizer_D.zero_grad()
    real_recon, _ = discriminator(real_imgs)
    fake_recon, _ = discriminator(gen_imgs.detach())
    d_loss = pixelwise_loss(real_recon, real_imgs) + torch.clamp(1 - pixelwise_loss(fake_recon, gen_imgs.detach()), min=0)
    d_loss.backward()
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters()  if p.grad is not None]).norm().item())
    optimizer_D.step()
    print(i, d_loss.item(), g_loss.item())
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
