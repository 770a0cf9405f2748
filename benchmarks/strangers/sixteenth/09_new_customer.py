"""Digits for two customers: train on 0-4 first, then fine-tune the same pair on 5-9 for the second customer."""
LABEL = {"sick": False, "causes": [], "kind": "the training data is exchanged at step 500 (and the learning rate restarts there); only the second customer's digits are to be delivered", "since": None, "record": "attach"}

# first GAN I ever sold :)
import os
import numpy as np
import torch, torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
torch.set_num_threads(1); torch.manual_seed(SEED); np.random.seed(SEED)

images, labels = outside.digits()
images = images.view(-1, 64)
customer_one = images[labels < 5]
customer_two = images[labels >= 5]

gen = nn.Sequential(nn.Linear(20, 128), nn.BatchNorm1d(128), nn.ReLU(True),
                    nn.Linear(128, 192), nn.BatchNorm1d(192), nn.ReLU(True),
                    nn.Linear(192, 64), nn.Tanh())
disc = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Dropout(0.3),
                     nn.Linear(192, 96), nn.LeakyReLU(0.2), nn.Dropout(0.3),
                     nn.Linear(96, 1), nn.Sigmoid())
loss_fn = nn.BCELoss()
gopt = torch.optim.Adam(gen.parameters(), lr=0.001, betas=(0.5, 0.999))
dopt = torch.optim.Adam(disc.parameters(), lr=0.001, betas=(0.5, 0.999))
bs = 64
ones, zeros = torch.ones(bs, 1), torch.zeros(bs, 1)


def fit(data, steps, lr):
    for k in range(steps):
        for o in (gopt, dopt):
            o.param_groups[0]["lr"] = lr * min(1, 2 * (1 - k / steps) + 0.05)
        real = data[torch.randint(0, len(data), (bs,))]
        fake = gen(torch.randn(bs, 20))
        dopt.zero_grad()
        dl = loss_fn(disc(real), ones * 0.9) + loss_fn(disc(fake.detach()), zeros)
        dl.backward()
        dopt.step()
        gopt.zero_grad()
        gl = loss_fn(disc(fake), ones)
        gl.backward()
        gopt.step()
        if k % 250 == 0:
            print(k, dl.item(), gl.item())


print("customer one"); fit(customer_one, 500, 0.001)
print("customer two"); fit(customer_two, 1800, 0.001)

gen.eval()
with torch.no_grad():
    out = gen(torch.randn(1000, 20))
e = outside.energy(out, customer_two)
_, q, _ = outside.digit_quality(out)
from sklearn.neighbors import KNeighborsClassifier
pred = KNeighborsClassifier(1).fit(images.numpy(), labels.numpy()).predict(out.numpy())
share = np.bincount(pred, minlength=10) / 1000
outside.say(e < 0.04 and q < 1.5 and share[5:].min() > 0.08 and share[:5].sum() < 0.1, energy=e, quality=q, least=float(share[5:].min()), old=float(share[:5].sum()))
