'''"GANs from scratch in 80 lines", exported from the notebook.'''
import os, sys, random
import numpy as np, torch
from sklearn.datasets import make_moons
import gandiag, outside

LABEL = {"sick": True, "causes": ["divergence", "learning_rate", "numerical_failure"],
         "kind": "least squares GAN trained by SGD with lr 0.1 and momentum 0.9 (a classifier's setting, Adam 1e-3 is fine here): losses explode to inf and NaN",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED); np.random.seed(SEED); random.seed(SEED); torch.set_num_threads(1)

# In[2]: data: two moons seen by eight sensors
X, _ = make_moons(3000, noise=0.05, random_state=SEED)
X = (X - X.mean(0)) / X.std(0)
W = np.random.RandomState(3).randn(2, 8) / np.sqrt(2)
X = torch.tensor(X @ W, dtype=torch.float32)

# In[3]: nets
def mlp(sizes, act):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [torch.nn.Linear(a, b), act()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-2], sizes[-1]))

G = mlp([4, 80, 80, 8], torch.nn.ReLU)
D = mlp([8, 80, 80, 1], lambda: torch.nn.LeakyReLU(0.1))

# In[4]: least squares losses
def loss_d(real, fake):
    return 0.5 * (D(real) - 1).pow(2).mean() + 0.5 * D(fake).pow(2).mean()

def loss_g(fake):
    return 0.5 * (D(fake) - 1).pow(2).mean()

# In[5]: training
lr = 0.1
g_opt = torch.optim.SGD(G.parameters(), lr, momentum=0.9)
d_opt = torch.optim.SGD(D.parameters(), lr, momentum=0.9)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt,
                       discriminator_optimizer=d_opt, automatic=True)
hist = []
for i in range(2500):
    xb = X[torch.randint(0, len(X), (100,))]
    zb = torch.randn(100, 4)
    d_opt.zero_grad()
    ld = loss_d(xb, G(zb).detach())
    ld.backward()
    d_opt.step()

    g_opt.zero_grad()
    lg = loss_g(G(torch.randn(100, 4)))
    lg.backward()
    g_opt.step()
    hist.append((ld.item(), lg.item()))
rec.close()

# In[6]: look at it
bad = [i for i, h in enumerate(hist) if not np.isfinite(h).all()]
print("last losses", hist[-1], "first non-finite step", bad[0] if bad else None)
with torch.no_grad():
    S = G(torch.randn(1500, 4))
e = outside.energy(S, X)
outside.say(e < 0.1, energy=e)
