"""Yield-curve scenarios (ten maturities, Nelson-Siegel world) from a Wasserstein GAN with gradient penalty, for stress tests."""
LABEL = {"sick": True, "causes": ["stagnation", "objective_fault", "discriminator_dominance", "vanishing_generator_gradient"],
         "kind": "the snapshot helper called after 150 updates switches requires_grad off for the generator and nobody switches it on again: the generator stands still from there on",
         "since": 150, "record": "attach"}
import os
import numpy as np
import torch
from torch import nn, autograd
import outside

SEED = int(os.environ.get("SEED", "0"))
MATURITIES = torch.tensor([0.25, 0.5, 1, 2, 3, 5, 7, 10, 20, 30])


def nelson_siegel(n, g):
    crisis = (torch.rand(n, 1, generator=g) < 0.35).float()
    level = 3.0 + 0.8 * torch.randn(n, 1, generator=g) - 1.2 * crisis
    slope = -1.8 + 0.5 * torch.randn(n, 1, generator=g) + 3.0 * crisis
    curv = 1.5 * torch.randn(n, 1, generator=g)
    lam = 0.4 + 0.4 * torch.rand(n, 1, generator=g)
    lt = lam * MATURITIES
    f = (1 - torch.exp(-lt)) / lt
    return level + slope * f + curv * (f - torch.exp(-lt)) + 0.06 * torch.randn(n, 10, generator=g)


def gradient_penalty(critic, a, b):
    eps = torch.rand(len(a), 1)
    mix = (eps * a + (1 - eps) * b).requires_grad_()
    grads = autograd.grad(critic(mix).sum(), mix, create_graph=True)[0]
    return ((grads.norm(dim=1) - 1) ** 2).mean()


@torch.no_grad()
def snapshot(net, nz, n=1000):
    """curves from the present generator"""
    net.eval()
    for p in net.parameters():
        p.requires_grad = False
    curves = net(torch.randn(n, nz))
    net.train()
    return curves


def run(updates=2600, batch=96, nz=10, n_critic=2, every=150):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(SEED)
    curves, fresh = nelson_siegel(8000, g), nelson_siegel(1000, g)
    mean, std = curves.mean(0), curves.std()
    data = (curves - mean) / std
    fresh = (fresh - mean) / std
    gen = nn.Sequential(nn.Linear(nz, 80), nn.Tanh(), nn.Linear(80, 80), nn.Tanh(), nn.Linear(80, 10))
    critic = nn.Sequential(nn.Linear(10, 80), nn.Softplus(), nn.Linear(80, 80), nn.Softplus(), nn.Linear(80, 1))
    og = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.0, 0.9))
    oc = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
    decay = [torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, updates) for o in (og, oc)]
    for update in range(1, updates + 1):
        for _ in range(n_critic):
            real = data[torch.randint(len(data), (batch,))]
            fake = gen(torch.randn(batch, nz)).detach()
            loss_c = critic(fake).mean() - critic(real).mean() + 5 * gradient_penalty(critic, real, fake)
            oc.zero_grad()
            loss_c.backward()
            oc.step()
        loss_g = -critic(gen(torch.randn(batch, nz))).mean()
        og.zero_grad()
        loss_g.backward()
        og.step()
        for d in decay:
            d.step()
        if update % every == 0:
            shot = snapshot(gen, nz)
            print(f"{update}: W {-loss_c.item():.3f}  std of 10y {shot[:, 7].std():.2f} (real {fresh[:, 7].std():.2f})")
    return snapshot(gen, nz), fresh


made, fresh = run()
e = outside.energy(made, fresh)
rough = float((made[:, 2:] - 2 * made[:, 1:-1] + made[:, :-2]).std() / (fresh[:, 2:] - 2 * fresh[:, 1:-1] + fresh[:, :-2]).std())
outside.say(e < 0.02 and rough < 2.7, energy=e, roughness=rough)
