"""sklearn digits by a Keras-like compile/fit GAN with an MLP."""
LABEL = {"sick": False, "causes": [], "kind": "sound, digits, R1", "since": None, "record": "attach"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
data = load_digits()
X = torch.tensor(data.data / 8 - 1, dtype=torch.float32)
class GAN:
    def __init__(self, generator, discriminator):
        self.generator, self.discriminator = generator, discriminator
    def compile(self, g_optimizer, d_optimizer):
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
    def train_step(self, real):
        real = real.clone().requires_grad_()
        fake = self.generator(torch.randn(len(real), 24))
        out = self.discriminator(real)
        grad, = torch.autograd.grad(out.sum(), real, create_graph=True)
        d_loss = F.softplus(-out).mean() + F.softplus(self.discriminator(fake.detach())).mean() + 0.1 * grad.pow(2).sum(1).mean()
        self.d_optimizer.zero_grad(); d_loss.backward(); self.d_optimizer.step()
        g_loss = F.softplus(-self.discriminator(fake)).mean()
        self.g_optimizer.zero_grad(); g_loss.backward(); self.g_optimizer.step()
        return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
    def fit(self, x, epochs, batch_size=64):
        for epoch in range(epochs):
            for idx in torch.randperm(len(x)).split(batch_size):
                logs = self.train_step(x[idx])
            if epoch % 15 == 0:
                print(f"epoch {epoch}", logs)
gan = GAN(nn.Sequential(nn.Linear(24, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.Tanh()),
          nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)))
gan.compile(torch.optim.Adam(gan.generator.parameters(), 1e-3, betas=(0.5, 0.99)), torch.optim.Adam(gan.discriminator.parameters(), 1e-3, betas=(0.5, 0.99)))
gan.fit(X, 55)

def energy(a, b):
    """relative energy distance: 0 same law, about 1 one point"""
    a, b = a.detach().float().flatten(1)[:1200], b.detach().float().flatten(1)[:1200]
    if not torch.isfinite(a).all():
        return 99.0
    n, m = len(a), len(b)
    aa, bb = torch.cdist(a, a).sum() / (n * (n - 1)), torch.cdist(b, b).sum() / (m * (m - 1))
    return float((2 * torch.cdist(a, b).mean() - aa - bb) / bb)

clf = LogisticRegression(max_iter=300).fit(X.numpy(), data.target)
with torch.no_grad():
    s = gan.generator(torch.randn(1000, 24))
share = torch.bincount(torch.tensor(clf.predict(s.numpy())), minlength=10) / 1000
e = energy(s, X)
print(json.dumps({"outcome": {"energy": e, "rarest": float(share.min())}, "well": e < 0.05 and float(share.min()) > 0.02}))
