"""Digits in two sessions: the second goes on from the first one's checkpoint (networks, optimizers, step)."""
import io, os
import torch
from torch import nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "since": None, "record": "attach",
         "kind": "saved and resumed half way into the same networks with new optimizers that load the old state; a lower rate afterwards"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


def build():
    g = nn.Sequential(nn.Linear(24, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU(), nn.Linear(160, 64), nn.Tanh())
    d = nn.Sequential(nn.Linear(64, 160), nn.LeakyReLU(0.2), nn.Linear(160, 160), nn.LeakyReLU(0.2), nn.Linear(160, 1))
    return g, d


def optimizers(g, d, lr):
    return torch.optim.Adam(g.parameters(), lr, betas=(0.5, 0.99)), torch.optim.Adam(d.parameters(), lr, betas=(0.5, 0.99))


X = outside.digits()[0].flatten(1)
G, D = build()


def session(steps, lr, checkpoint=None):
    og, od = optimizers(G, D, lr)
    start = 0
    if checkpoint is not None:
        state = torch.load(checkpoint)
        G.load_state_dict(state["G"])
        D.load_state_dict(state["D"])
        og.load_state_dict(state["og"])
        od.load_state_dict(state["od"])
        start = state["step"]
        for o in (og, od):
            for group in o.param_groups:
                group["lr"] = lr
    for step in range(start, start + steps):
        x = X[torch.randint(0, len(X), (64,))].requires_grad_()
        fake = G(torch.randn(64, 24))
        r = D(x)
        pen, = torch.autograd.grad(r.sum(), x, create_graph=True)
        loss = F.binary_cross_entropy_with_logits(r, torch.ones_like(r)) + F.softplus(D(fake.detach())).mean()
        loss = loss + 0.1 * pen.pow(2).sum(1).mean()
        od.zero_grad()
        loss.backward()
        od.step()
        loss = F.softplus(-D(fake)).mean()
        og.zero_grad()
        loss.backward()
        og.step()
    out = io.BytesIO()
    torch.save({"G": G.state_dict(), "D": D.state_dict(), "og": og.state_dict(), "od": od.state_dict(), "step": start + steps}, out)
    out.seek(0)
    return out


first = session(1200, 1e-3)
session(1000, 4e-4, first)
with torch.no_grad():
    s = G(torch.randn(800, 24))
classes, near, _ = outside.digit_quality(s)
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(classes >= 9 and near < 1.5 and e < 0.03, classes=classes, near=near, energy=e)
