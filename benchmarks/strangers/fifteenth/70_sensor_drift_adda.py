"""ADDA for a chemical sensor that drifted: make last year's gas classifier work on this year's unlabelled readings."""
LABEL = {"sick": False, "causes": [],
         "kind": "adversarial domain adaptation: the 'generator' is an encoder of real readings that starts as a copy of the source encoder, there is no noise and real/fake are features",
         "since": None, "record": "lines"}
import copy
import os
import sys
import torch
from torch import nn
from torch.nn.functional import cross_entropy, binary_cross_entropy_with_logits as bce
from gandiag.recording import Recorder
import outside

SEED = int(os.environ.get("SEED", "0"))
FEATURES = 8


def readings(n, drifted):
    world = torch.Generator().manual_seed(5)
    centres = 1.6 * torch.randn(4, 10, generator=world)
    drift = torch.eye(10) + 0.25 * torch.randn(10, 10, generator=world)
    offset = 2.0 * torch.randn(10, generator=world)
    y = torch.randint(4, (n,))
    x = centres[y] + 0.45 * torch.randn(n, 10)
    return (x @ drift + offset if drifted else x), y


def encoder():
    return nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, FEATURES))


def pretrain(enc, clf, x, y, steps=500):
    opt = torch.optim.Adam([*enc.parameters(), *clf.parameters()], lr=2e-3)
    for _ in range(steps):
        i = torch.randint(len(x), (64,))
        f = enc(x[i])
        loss = cross_entropy(clf(f), y[i]) + 0.01 * f.square().mean()
        opt.zero_grad(); loss.backward(); opt.step()


def accuracy(enc, clf, x, y):
    with torch.no_grad():
        return (clf(enc(x)).argmax(1) == y).float().mean().item()


def adapt(src, tgt, xs, xt, steps=2000, batch=128):
    domain = nn.Sequential(nn.Linear(FEATURES, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    opt_t = torch.optim.Adam(tgt.parameters(), lr=2e-4, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(domain.parameters(), lr=5e-4, betas=(0.5, 0.99), weight_decay=1e-3)
    rec = Recorder(sys.argv[1], generator=tgt, discriminator=domain, generator_optimizer=opt_t, discriminator_optimizer=opt_d)
    one, zero = torch.ones(batch, 1), torch.zeros(batch, 1)
    for k in range(steps):
        with torch.no_grad():
            fs = src(xs[torch.randint(len(xs), (batch,))])
        ft = tgt(xt[torch.randint(len(xt), (batch,))])
        fs.requires_grad_(True)
        ls, lt = domain(fs), domain(ft.detach())
        gp = torch.autograd.grad(ls.sum(), fs, create_graph=True)[0].square().sum(1).mean()
        d_loss = bce(ls, one) + bce(lt, zero)
        opt_d.zero_grad(); (d_loss + 0.3 * gp).backward(); opt_d.step()
        g_loss = bce(domain(ft), one)
        opt_t.zero_grad(); g_loss.backward(); opt_t.step()
        if k % 400 == 0:
            print(f"step {k}: domain loss {d_loss.item():.3f}, confusion loss {g_loss.item():.3f}")
        rec.step(real_logits=ls, fake_logits=lt, d_loss=d_loss, g_loss=g_loss, real=fs, fake=ft)
    rec.close()


torch.manual_seed(SEED)
torch.set_num_threads(1)
xs, ys = readings(6000, False)
xt, yt = readings(6000, True)
src, clf = encoder(), nn.Linear(FEATURES, 4)
pretrain(src, clf, xs, ys)
tgt = copy.deepcopy(src)
before = accuracy(tgt, clf, xt, yt)
adapt(src, tgt, xs, xt)
after = accuracy(tgt, clf, xt, yt)
with torch.no_grad():
    ed = outside.energy(tgt(xt[:1000]), src(xs[:1000]))
outside.say(after > 0.95 and ed < 0.03, before=before, after=after, feature_energy=ed)
