"""A conditional GAN written with functions: both nets take (batch, labels), the discriminator returns (n,) logits."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(3, 4)
        self.f = nn.Sequential(nn.Linear(9, 24), nn.SiLU(), nn.Linear(24, 5))

    def forward(self, z, y):
        return self.f(torch.cat((z, self.emb(y)), -1))


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(3, 4)
        self.f = nn.Sequential(nn.Linear(9, 24), nn.SiLU(), nn.Linear(24, 1))

    def forward(self, x, y):
        return self.f(torch.cat((self.emb(y), x), -1)).squeeze(-1)


def norm_of(net):
    return torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]).norm().item()


def train_d(g, d, opt, x, y, own):
    opt.zero_grad()
    z = torch.randn(len(x), 5)
    fake = g(z, y).detach()
    real_logits, fake_logits = d(x, y), d(fake, y)
    loss = bce(real_logits, torch.ones(len(x))) + bce(fake_logits, torch.zeros(len(x)))
    loss.backward()
    own["real"].append(real_logits.mean().item())
    own["fake"].append(fake_logits.mean().item())
    own["d_norm"].append(norm_of(d))
    opt.step()
    return loss.item()


def train_g(g, d, opt, y, own):
    opt.zero_grad()
    loss = bce(d(g(torch.randn(len(y), 5), y), y), torch.ones(len(y)))
    loss.backward()
    own["g_norm"].append(norm_of(g))
    opt.step()
    return loss.item()


def main(path):
    torch.manual_seed(6)
    g, d = G(), D()
    go, do = torch.optim.AdamW(g.parameters(), 1e-3), torch.optim.AdamW(d.parameters(), 1e-3)
    own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}
    for _ in range(20):
        y = torch.randint(3, (20,))
        x = torch.randn(20, 5) * 0.2 + y[:, None]
        print(f"{train_d(g, d, do, x, y, own):.4f} {train_g(g, d, go, y, own):.4f}")
    torch.save({"g": g.state_dict(), "d": d.state_dict()}, path)
    json.dump(own, open(path + ".json", "w"))


if __name__ == "__main__":
    main(sys.argv[1])
