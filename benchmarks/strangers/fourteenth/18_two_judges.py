"""Two discriminators for small drawings, one on pixels and one on edges; WGAN with clipped weights, stopped and resumed halfway."""
LABEL = {"sick": False, "causes": [], "kind": "two clipped critics, RMSprop, unbounded scores, and a checkpoint restored halfway into newly built networks and optimizers", "since": None, "record": "attach"}
import io, os, random
import numpy as np
import torch
from torch import nn
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

cfg = dict(nz=10, batch=48, half=800, n_critic=2, clip=0.05, lr_g=5e-4, lr_d=5e-4)


def drawings(n):
    """a slanted soft line through an 8x8 page"""
    g = torch.arange(8.0) - 3.5
    th = np.pi * torch.rand(n, 1, 1)
    off = 3 * torch.rand(n, 1, 1) - 1.5
    dist = (th.cos() * g.view(1, 1, 8) + th.sin() * g.view(1, 8, 1) - off).abs()
    return 2 * torch.exp(-dist ** 2 / 2.0) - 1


def edges(x):
    dx = x[:, :, 1:] - x[:, :, :-1]
    dy = x[:, 1:, :] - x[:, :-1, :]
    return torch.cat([dx.flatten(1), dy.flatten(1)], 1)


def build():
    G = nn.Sequential(nn.Linear(cfg["nz"], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (8, 8)))
    D_pix = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    D_edge = nn.Sequential(nn.Linear(112, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
    opt_g = torch.optim.RMSprop(G.parameters(), lr=cfg["lr_g"])
    opt_d = torch.optim.RMSprop(list(D_pix.parameters()) + list(D_edge.parameters()), lr=cfg["lr_d"])
    return dict(G=G, D_pix=D_pix, D_edge=D_edge, opt_g=opt_g, opt_d=opt_d)


def save(state):
    buf = io.BytesIO()
    torch.save({k: v.state_dict() for k, v in state.items()}, buf)
    return buf.getvalue()


def restore(blob):
    state = build()
    for k, v in torch.load(io.BytesIO(blob)).items():
        state[k].load_state_dict(v)
    return state


def train(state, start, stop):
    G, Dp, De, opt_g, opt_d = (state[k] for k in ("G", "D_pix", "D_edge", "opt_g", "opt_d"))
    for it in range(start, stop):
        for _ in range(cfg["n_critic"]):
            x = drawings(cfg["batch"])
            f = G(torch.randn(cfg["batch"], cfg["nz"])).detach()
            w = Dp(x).mean() - Dp(f).mean() + De(edges(x)).mean() - De(edges(f)).mean()
            opt_d.zero_grad()
            (-w).backward()
            opt_d.step()
            with torch.no_grad():
                for p in [*Dp.parameters(), *De.parameters()]:
                    p.clamp_(-cfg["clip"], cfg["clip"])
        f = G(torch.randn(cfg["batch"], cfg["nz"]))
        loss_g = -Dp(f).mean() - De(edges(f)).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        if it % 200 == 0:
            print(f"it {it}: W {w.item():.4f}  G {loss_g.item():.4f}")


if __name__ == "__main__":
    state = build()
    train(state, 0, cfg["half"])
    blob = save(state)
    del state
    state = restore(blob)
    train(state, cfg["half"], 2 * cfg["half"])
    with torch.no_grad():
        s = state["G"](torch.randn(1000, cfg["nz"]))
    real = drawings(1000)
    e, e_edge = outside.energy(s, real), outside.energy(edges(s), edges(real))
    outside.say(e < 0.08 and e_edge < 0.1, energy=e, energy_of_edges=e_edge)
