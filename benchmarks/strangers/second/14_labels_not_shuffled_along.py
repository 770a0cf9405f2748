"""Conditional digits; images and labels come from two shuffles."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "images shuffled without their labels", "since": 0, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
digits = load_digits()
X = torch.tensor(digits.data / 8 - 1, dtype=torch.float32)
y = torch.tensor(digits.target)
class CondG(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 10)
        self.net = nn.Sequential(nn.Linear(30, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh())
    def forward(self, z, c): return self.net(torch.cat([z, self.emb(c)], 1))
class CondD(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 10)
        self.net = nn.Sequential(nn.Linear(74, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
    def forward(self, x, c): return self.net(torch.cat([x, self.emb(c)], 1))
generator, discriminator = CondG(), CondD()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.5, 0.999))
for epoch in range(45):
    perm = torch.randperm(len(X))
    images = X[perm]  # and the labels?
    for i in range(0, len(X) - 63, 64):
        imgs, labels = images[i:i + 64], y[i:i + 64]
        z, gen_labels = torch.randn(64, 20), torch.randint(10, (64,))
        gen_imgs = generator(z, gen_labels)
        optimizer_G.zero_grad()
        F.softplus(-discriminator(gen_imgs, gen_labels)).mean().backward()
        optimizer_G.step()
        optimizer_D.zero_grad()
        (F.softplus(-discriminator(imgs, labels)).mean() + F.softplus(discriminator(gen_imgs.detach(), gen_labels)).mean()).backward()
        optimizer_D.step()
clf = LogisticRegression(max_iter=300).fit(X.numpy(), digits.target)
c = torch.arange(1000) % 10
with torch.no_grad():
    s = generator(torch.randn(1000, 20), c)
acc = float((torch.tensor(clf.predict(s.numpy())) == c).float().mean())
print(json.dumps({"outcome": {"label_accuracy": acc}, "well": acc > 0.6}))
