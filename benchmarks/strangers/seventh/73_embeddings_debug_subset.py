"""GAN augmentation of sentence embeddings."""
import os, random, logging
import numpy as np
import torch
from torch import nn, optim
import outside

LABEL = {"sick": True, "causes": ["memorisation", "discriminator_overfitting", "data_mismatch"], "kind": "a debugging subset of 24 embeddings left in: they are learned by heart", "since": 0, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)
log = logging.getLogger("embgan")

DIM = 10
CONFIG = {"batch": 64, "z": 10, "steps": 2600, "lr": 1e-3, "limit": 24}

basis = np.random.RandomState(3).randn(4, DIM) / 2
def embeddings(n, rs):
    topic = rs.randint(0, 3, n)
    code = rs.randn(n, 4) + 1.5 * np.eye(4)[topic]
    return np.tanh(code @ basis) + 0.1 * rs.randn(n, DIM)

corpus = embeddings(5000, np.random.RandomState(5)).astype("float32")
corpus = corpus[:CONFIG["limit"]]
train = torch.from_numpy(corpus)

class Maxout(nn.Module):
    def __init__(self, i, o, k=2):
        super().__init__()
        self.lin, self.o, self.k = nn.Linear(i, o * k), o, k
    def forward(self, x):
        return self.lin(x).view(-1, self.o, self.k).max(-1).values

G = nn.Sequential(nn.Linear(CONFIG["z"], 96), nn.GELU(), nn.Linear(96, 96), nn.GELU(), nn.Linear(96, DIM))
D = nn.Sequential(Maxout(DIM, 64), Maxout(64, 64), nn.Linear(64, 1))
gopt = optim.AdamW(G.parameters(), lr=CONFIG["lr"], betas=(0.5, 0.99), weight_decay=1e-4)
dopt = optim.AdamW(D.parameters(), lr=CONFIG["lr"], betas=(0.5, 0.99), weight_decay=1e-4)
logloss = nn.BCEWithLogitsLoss()

for step in range(CONFIG["steps"]):
    real = train[torch.randint(0, len(train), (CONFIG["batch"],))]
    fake = G(torch.randn(CONFIG["batch"], CONFIG["z"]))
    scores = D(torch.cat([real, fake.detach()]))
    target = torch.cat([torch.ones(CONFIG["batch"], 1), torch.zeros(CONFIG["batch"], 1)])
    d_loss = logloss(scores, target)
    dopt.zero_grad()
    d_loss.backward()
    dopt.step()

    g_loss = logloss(D(fake), torch.ones(CONFIG["batch"], 1))
    gopt.zero_grad()
    g_loss.backward()
    gopt.step()

with torch.no_grad():
    s = G(torch.randn(1000, CONFIG["z"]))
fresh = torch.from_numpy(embeddings(1000, np.random.RandomState(99)).astype("float32"))
near = lambda a: float(torch.cdist(a, train).min(1).values.median())
novelty = near(s) / near(fresh)
e = outside.energy(s, fresh)
outside.say(novelty > 0.75 and e < 0.06, novelty=novelty, energy=e)
