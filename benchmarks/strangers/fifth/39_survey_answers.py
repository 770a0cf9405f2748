"""A survey: four questions of three to six answers each, straight-through Gumbel choice, sigmoid discriminator."""
LABEL = {"sick": False, "causes": [], "kind": "well: samples are one-hot choices, a few hundred distinct rows in all; probabilities out of D", "since": None, "record": "automatic"}
import itertools, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
SIZES = [3, 4, 5, 6]
WIDTH = sum(SIZES)

types = [torch.stack([torch.softmax(1.6 * torch.randn(k), 0) for _ in range(3)]) for k in SIZES]
def survey(n):
    person = torch.multinomial(torch.tensor([0.45, 0.35, 0.2]), n, replacement=True)
    return torch.stack([torch.multinomial(t[person], 1).squeeze(1) for t in types], 1)

def onehot(rows):
    return torch.cat([F.one_hot(rows[:, j], k).float() for j, k in enumerate(SIZES)], 1)

class AnswerSheet(nn.Module):
    def __init__(self, nz=16, tau=0.7):
        super().__init__()
        self.nz, self.tau = nz, tau
        self.trunk = nn.Sequential(nn.Linear(nz, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(80, k) for k in SIZES)
    def forward(self, z):
        h = self.trunk(z)
        return torch.cat([F.gumbel_softmax(head(h), self.tau, hard=True) for head in self.heads], 1)

class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(WIDTH, 80), nn.LeakyReLU(0.2), nn.Linear(80, 80), nn.LeakyReLU(0.2), nn.Linear(80, 1), nn.Sigmoid())
    def forward(self, x): return self.net(x)

train_rows = onehot(survey(5000))
sheet, reader = AnswerSheet(), Reader()
opt = {"g": torch.optim.AdamW(sheet.parameters(), 5e-4, betas=(0.5, 0.99), weight_decay=1e-4),
       "d": torch.optim.AdamW(reader.parameters(), 2e-3, betas=(0.5, 0.99), weight_decay=0.0)}
bce = nn.BCELoss()

def run(steps=1300, batch=128):
    for step in range(steps):
        real = train_rows[torch.randint(len(train_rows), (batch,))]
        fake = sheet(torch.randn(batch, sheet.nz))
        loss_d = bce(reader(real), torch.full((batch, 1), 0.95)) + bce(reader(fake.detach()), torch.zeros(batch, 1))
        opt["d"].zero_grad(); loss_d.backward(); opt["d"].step()
        loss_g = bce(reader(fake), torch.ones(batch, 1))
        opt["g"].zero_grad(); loss_g.backward(); opt["g"].step()
        if step in (600, 1000):
            for o in opt.values():
                for group in o.param_groups: group["lr"] *= 0.3

with gandiag.Recorder(sys.argv[1], generator=sheet, discriminator=reader, generator_optimizer=opt["g"], discriminator_optimizer=opt["d"], discriminator_output="probability", automatic=True):
    run()

with torch.no_grad():
    s = sheet(torch.randn(20000, sheet.nz))
r = onehot(survey(20000))
cut = [0, 3, 7, 12, 18]
def table(x, i, j): return x[:, cut[i]:cut[i + 1]].T @ x[:, cut[j]:cut[j + 1]] / len(x)
pair = max(float((table(s, i, j) - table(r, i, j)).abs().sum() / 2) for i, j in itertools.combinations(range(4), 2))
outside.say(pair < 0.15, worst_pair_total_variation=pair)
