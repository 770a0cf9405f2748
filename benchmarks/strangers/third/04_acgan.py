"""AC-GAN on digits: one trunk with a validity head and a class head."""
LABEL = {"sick": False, "causes": [], "kind": "sound AC-GAN", "since": None, "record": "lines"}
import json, os, sys
import torch, gandiag
from torch import nn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
raw = load_digits()
X, Y = torch.tensor(raw.images / 8 - 1).float().unsqueeze(1), torch.tensor(raw.target)

class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(10, 32)
        self.l1 = nn.Linear(32, 32 * 2 * 2)
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(32), nn.Upsample(scale_factor=2), nn.Conv2d(32, 32, 3, 1, 1), nn.BatchNorm2d(32), nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.LeakyReLU(0.2), nn.Conv2d(16, 1, 3, 1, 1), nn.Tanh())
    def forward(self, noise, labels):
        return self.conv_blocks(self.l1(self.label_emb(labels) * noise).view(-1, 32, 2, 2))

class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        def block(i, o):
            return [nn.Conv2d(i, o, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.15)]
        self.conv_blocks = nn.Sequential(*block(1, 24), *block(24, 48))
        self.adv_layer, self.aux_layer = nn.Linear(192, 1), nn.Linear(192, 10)
    def forward(self, img):
        out = self.conv_blocks(img).flatten(1)
        return self.adv_layer(out), self.aux_layer(out)

generator, discriminator = Generator(), Discriminator()
adv, aux = nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
recorder = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=optimizer_G, discriminator_optimizer=optimizer_D)
for epoch in range(19):
    for idx in torch.randperm(len(X)).split(64)[:-1]:
        imgs, labels = X[idx], Y[idx]
        valid, fake = torch.ones(len(idx), 1), torch.zeros(len(idx), 1)
        optimizer_G.zero_grad()
        z, gen_labels = torch.randn(len(idx), 32), torch.randint(0, 10, (len(idx),))
        gen_imgs = generator(z, gen_labels)
        validity, pred = discriminator(gen_imgs)
        g_loss = 0.5 * (adv(validity, valid) + aux(pred, gen_labels))
        g_loss.backward()
        optimizer_G.step()
        optimizer_D.zero_grad()
        rp, ra = discriminator(imgs)
        fp, fa = discriminator(gen_imgs.detach())
        d_loss = ((adv(rp, valid) + aux(ra, labels)) / 2 + (adv(fp, fake) + aux(fa, gen_labels)) / 2) / 2
        d_loss.backward()
        optimizer_D.step()
        recorder.step(d_loss=d_loss, g_loss=g_loss)
recorder.close()
clf = LogisticRegression(max_iter=300).fit(X.flatten(1).numpy(), raw.target)
with torch.no_grad():
    y = torch.arange(10).repeat(100)
    s = generator(torch.randn(1000, 32), y).flatten(1)
acc = clf.score(s.numpy(), y.numpy())
m = lambda p, q: torch.cdist(p, q).mean()
r = X.flatten(1)
e = float((2 * m(s, r) - m(s, s) - m(r, r)) / m(r, r))
inner = sum(float(torch.cdist(s[y == k], s[y == k]).mean() / torch.cdist(r[Y == k], r[Y == k]).mean()) for k in range(10)) / 10
print(json.dumps({"outcome": {"label_accuracy": acc, "energy": e, "spread_within": inner}, "well": acc > 0.75 and e < 0.08 and inner > 0.5}))
