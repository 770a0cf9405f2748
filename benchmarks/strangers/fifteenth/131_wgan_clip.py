"""Reproduction of the first WGAN paper (RMSprop, weight clipping, five critic updates) on a 2-d mixture of two stretched Gaussians."""
LABEL = {"sick": True, "causes": ["divergence", "objective_fault", "discriminator_dominance"], "kind": "the clipping is applied to nothing: clamp() instead of clamp_() throws its result away, so the critic is unbounded and its scores run off", "since": 0, "record": "attach"}

import argparse, os
import torch
import torch.nn as nn
import outside

parser = argparse.ArgumentParser()
parser.add_argument("--n_iter", type=int, default=1000)
parser.add_argument("--batch_size", type=int, default=64)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--n_critic", type=int, default=5)
parser.add_argument("--clip_value", type=float, default=0.1)
parser.add_argument("--latent_dim", type=int, default=4)
opt, _ = parser.parse_known_args()

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

L1 = torch.tensor([[1.0, 0.0], [0.8, 0.3]])
L2 = torch.tensor([[0.3, 0.0], [-0.2, 0.9]])


def sample_data(n):
    pick = (torch.rand(n, 1) < 0.5).float()
    z = torch.randn(n, 2)
    return pick * (z @ L1.T + torch.tensor([-2.0, 0.0])) + (1 - pick) * (z @ L2.T + torch.tensor([2.0, 1.0]))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(opt.latent_dim, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, z):
        return self.model(z)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x):
        return self.model(x)


generator, critic = Generator(), Critic()
optimizer_G = torch.optim.RMSprop(generator.parameters(), lr=opt.lr)
optimizer_C = torch.optim.RMSprop(critic.parameters(), lr=opt.lr)

for i in range(opt.n_iter):
    if i == opt.n_iter // 2:
        for o in (optimizer_G, optimizer_C):
            o.param_groups[0]["lr"] = opt.lr / 4
    for _ in range(opt.n_critic):
        real = sample_data(opt.batch_size)
        fake = generator(torch.randn(opt.batch_size, opt.latent_dim)).detach()
        loss_C = -critic(real).mean() + critic(fake).mean()
        optimizer_C.zero_grad()
        loss_C.backward()
        optimizer_C.step()
        for p in critic.parameters():
            p.data.clamp(-opt.clip_value, opt.clip_value)
    loss_G = -critic(generator(torch.randn(opt.batch_size, opt.latent_dim))).mean()
    optimizer_G.zero_grad()
    loss_G.backward()
    optimizer_G.step()
    if i % 250 == 0:
        print("[%d/%d] [C loss: %f] [G loss: %f]" % (i, opt.n_iter, loss_C.item(), loss_G.item()))

with torch.no_grad():
    e = outside.energy(generator(torch.randn(2000, opt.latent_dim)), sample_data(2000))
outside.say(e < 0.03, energy=e)
