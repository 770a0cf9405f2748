"""8x8 digits by a small conv GAN, iterator written by hand."""
LABEL = {"sick": True, "causes": ["data_mismatch", "memorisation", "discriminator_overfitting"], "kind": "when the iterator is exhausted its last batch is used for ever", "since": 112, "record": "attach"}
import json, os
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
device = torch.device("cpu")
images = torch.tensor(load_digits().data, dtype=torch.float32) / 8.0 - 1.0
loader = DataLoader(TensorDataset(images), batch_size=16, shuffle=True, drop_last=True)

generator = nn.Sequential(nn.Unflatten(1, (20, 1, 1)), nn.ConvTranspose2d(20, 40, 4), nn.BatchNorm2d(40), nn.ReLU(),
                          nn.ConvTranspose2d(40, 1, 4, 2, 1), nn.Tanh(), nn.Flatten()).to(device)
discriminator = nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(),
                              nn.Linear(384, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)).to(device)

g_optim = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
d_optim = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

data_iter = iter(loader)
for i in range(1, 851):
    try:
        (real,) = next(data_iter)
    except StopIteration:
        pass
    real = real.to(device)
    z = torch.randn(real.shape[0], 20, device=device)
    fake = generator(z)
    d_real = discriminator(real + 0.05 * torch.randn_like(real))
    d_fake = discriminator(fake.detach() + 0.05 * torch.randn_like(real))
    d_loss = F.softplus(-d_real).mean() + F.softplus(d_fake).mean()
    d_optim.zero_grad()
    d_loss.backward()
    d_optim.step()
    g_loss = F.softplus(-discriminator(fake)).mean()
    g_optim.zero_grad()
    g_loss.backward()
    g_optim.step()
    if i % 300 == 0:
        print("iter %d  D %.3f  G %.3f" % (i, d_loss.item(), g_loss.item()))

with torch.no_grad():
    s = generator(torch.randn(1000, 20))
    near = torch.cdist(s, images)
    covered = near.argmin(1).unique().numel()
    to_last = float((torch.cdist(s, real).amin(1)).mean())
def energy(a, b):
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)
e = energy(s, images)
print(json.dumps({"outcome": {"energy": e, "digits_that_are_a_nearest": covered, "distance_to_last_batch": to_last}, "well": e < 0.08 and covered > 350}))
