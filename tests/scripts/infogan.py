"""InfoGAN: three heads of the discriminator, and a third optimizer that steps both nets together."""
import itertools
import json
import sys

import torch
import torch.nn as nn

torch.manual_seed(7)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(8 + 3 + 2, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh())

    def forward(self, noise, labels, code):
        return self.l1(torch.cat((noise, labels, code), -1))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(0.2))
        self.adv, self.aux, self.latent = nn.Linear(32, 1), nn.Sequential(nn.Linear(32, 3), nn.Softmax(1)), nn.Linear(32, 2)

    def forward(self, img):
        out = self.body(img)
        return self.adv(out), self.aux(out), self.latent(out)


adversarial_loss, categorical_loss, continuous_loss = nn.MSELoss(), nn.CrossEntropyLoss(), nn.MSELoss()
generator, discriminator = Generator(), Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizer_info = torch.optim.Adam(itertools.chain(generator.parameters(), discriminator.parameters()), lr=2e-4, betas=(0.5, 0.999))
own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}


def draws(n):
    labels = torch.nn.functional.one_hot(torch.randint(0, 3, (n,)), 3).float()
    return torch.randn(n, 8), labels, torch.rand(n, 2) * 2 - 1


for i in range(20):
    real_imgs = torch.tanh(torch.randn(16, 16))
    valid, fake = torch.ones(16, 1), torch.zeros(16, 1)
    optimizer_G.zero_grad()
    gen_imgs = generator(*draws(16))
    validity, _, _ = discriminator(gen_imgs)
    g_loss = adversarial_loss(validity, valid)
    g_loss.backward()
    own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
    optimizer_G.step()
    optimizer_D.zero_grad()
    real_pred, _, _ = discriminator(real_imgs)
    fake_pred, _, _ = discriminator(gen_imgs.detach())
    d_loss = (adversarial_loss(real_pred, valid) + adversarial_loss(fake_pred, fake)) / 2
    d_loss.backward()
    own["real"].append(real_pred.mean().item())
    own["fake"].append(fake_pred.mean().item())
    own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters() if p.grad is not None]).norm().item())
    optimizer_D.step()
    optimizer_info.zero_grad()
    z, label_input, code_input = draws(16)
    _, pred_label, pred_code = discriminator(generator(z, label_input, code_input))
    info_loss = categorical_loss(pred_label, label_input.argmax(1)) + 0.1 * continuous_loss(pred_code, code_input)
    info_loss.backward()
    optimizer_info.step()
    print(i, d_loss.item(), g_loss.item(), info_loss.item())
torch.save({"g": generator.state_dict(), "d": discriminator.state_dict()}, sys.argv[1])
json.dump(own, open(sys.argv[1] + ".json", "w"))
