"""Conditional GAN that draws chemical profiles of wines for a given cultivar, for our table augmentation service."""
import os, random, sys
import numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
import outside

LABEL = {"sick": True, "causes": ["data_mismatch", "objective_fault"], "kind": "features and labels come from two separately shuffled loaders, so labels do not match the rows", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)

CFG = dict(z=16, hidden=96, batch=44, lr=4e-4, epochs=650, classes=3)
raw, target = load_wine(return_X_y=True)
table = torch.tensor(StandardScaler().fit_transform(raw), dtype=torch.float32)
target = torch.tensor(target)


class CondGenerator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.emb = nn.Embedding(c["classes"], 8)
        self.body = nn.Sequential(nn.Linear(c["z"] + 8, c["hidden"]), nn.ReLU(), nn.Linear(c["hidden"], c["hidden"]), nn.ReLU(), nn.Linear(c["hidden"], 13))

    def forward(self, z, y):
        return self.body(torch.cat([z, self.emb(y)], 1))


class CondDiscriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.emb = nn.Embedding(c["classes"], 8)
        self.body = nn.Sequential(nn.Linear(13 + 8, c["hidden"]), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(c["hidden"], c["hidden"]), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(c["hidden"], 1))

    def forward(self, x, y):
        return self.body(torch.cat([x, self.emb(y)], 1))


def main():
    G, D = CondGenerator(CFG), CondDiscriminator(CFG)
    opt_g = torch.optim.Adam(G.parameters(), lr=CFG["lr"], betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(D.parameters(), lr=CFG["lr"], betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    features = DataLoader(table, batch_size=CFG["batch"], shuffle=True, drop_last=True)
    labels = DataLoader(target, batch_size=CFG["batch"], shuffle=True, drop_last=True)
    one, zero = torch.ones(CFG["batch"], 1), torch.zeros(CFG["batch"], 1)
    for epoch in range(CFG["epochs"]):
        for x, y in zip(features, labels):
            x = x + 0.05 * torch.randn_like(x)
            z = torch.randn(len(x), CFG["z"])
            fake = G(z, y)
            opt_d.zero_grad()
            loss_d = bce(D(x, y), one * 0.9) + bce(D(fake.detach(), y), zero)
            loss_d.backward()
            opt_d.step()
            opt_g.zero_grad()
            loss_g = bce(D(fake, y), one)
            loss_g.backward()
            opt_g.step()
        if epoch % 100 == 0:
            print(f"epoch {epoch} d {loss_d.item():.3f} g {loss_g.item():.3f}")
    G.eval()
    want = torch.arange(600) % 3
    with torch.no_grad():
        made = G(torch.randn(600, CFG["z"]), want)
    clf = KNeighborsClassifier(5).fit(table.numpy(), target.numpy())
    acc = float((clf.predict(made.numpy()) == want.numpy()).mean())
    e = outside.energy(made, table)
    outside.say(acc > 0.8 and e < 0.1, accuracy=acc, energy=e)


main()
