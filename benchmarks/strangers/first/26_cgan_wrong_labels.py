"""Conditional digits; images are shuffled by a generator of their own and the labels are not, so labels are noise."""
import os, torch, torch.nn as nn
import outside
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "labels shuffled apart from the images", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
X, Y = outside.digits(); X = X[torch.randperm(len(X))]
class ConditionalGenerator(nn.Module):
    def __init__(self, nz=16, n_classes=10):
        super().__init__(); self.label_emb = nn.Embedding(n_classes, n_classes)
        self.model = nn.Sequential(nn.Linear(nz + n_classes, 128), nn.LeakyReLU(0.2), nn.Linear(128, 160), nn.BatchNorm1d(160), nn.LeakyReLU(0.2), nn.Linear(160, 64), nn.Tanh())
    def forward(self, noise, labels): return self.model(torch.cat((self.label_emb(labels), noise), -1)).view(-1, 1, 8, 8)
class ConditionalDiscriminator(nn.Module):
    def __init__(self, n_classes=10):
        super().__init__(); self.label_embedding = nn.Embedding(n_classes, n_classes)
        self.model = nn.Sequential(nn.Linear(64 + n_classes, 128), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(128, 1))
    def forward(self, img, labels): return self.model(torch.cat((img.flatten(1), self.label_embedding(labels)), -1))
generator, discriminator = ConditionalGenerator(), ConditionalDiscriminator()
adversarial_loss = nn.MSELoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999)); optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
for epoch in range(28):
    p = torch.randperm(len(X))
    for i in range(0, 1792, 64):
        real_imgs, labels = X[p[i:i + 64]], Y[p[i:i + 64]]
        valid, fake = torch.ones(64, 1), torch.zeros(64, 1)
        optimizer_G.zero_grad(); z = torch.randn(64, 16); gen_labels = torch.randint(0, 10, (64,))
        gen_imgs = generator(z, gen_labels); g_loss = adversarial_loss(discriminator(gen_imgs, gen_labels), valid); g_loss.backward(); optimizer_G.step()
        optimizer_D.zero_grad()
        d_loss = (adversarial_loss(discriminator(real_imgs, labels), valid) + adversarial_loss(discriminator(gen_imgs.detach(), gen_labels), fake)) / 2
        d_loss.backward(); optimizer_D.step()
generator.eval()
with torch.no_grad(): y = torch.arange(800) % 10; f = generator(torch.randn(800, 16), y)
c, n, a = outside.digit_quality(f, y); outside.say(a > 0.5, classes=c, nn=n, accuracy=a)
