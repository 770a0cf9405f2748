"""CycleGAN: two generators, two discriminators, a buffer of old fakes; one optimizer steps both generators."""
import itertools
import random
import sys

import torch
from torch import nn

torch.manual_seed(17)
random.seed(17)


def net(out):
    return nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, out))


class ReplayBuffer:
    def __init__(self, max_size=20):
        self.max_size, self.data = max_size, []

    def push_and_pop(self, data):
        to_return = []
        for element in data.data:
            element = torch.unsqueeze(element, 0)
            if len(self.data) < self.max_size:
                self.data.append(element)
                to_return.append(element)
            elif random.uniform(0, 1) > 0.5:
                i = random.randint(0, self.max_size - 1)
                to_return.append(self.data[i].clone())
                self.data[i] = element
            else:
                to_return.append(element)
        return torch.cat(to_return)


G_AB, G_BA, D_A, D_B = net(6), net(6), net(1), net(1)
criterion_GAN, criterion_cycle = nn.MSELoss(), nn.L1Loss()
optimizer_G = torch.optim.Adam(itertools.chain(G_AB.parameters(), G_BA.parameters()), lr=1e-3)
optimizer_D_A, optimizer_D_B = torch.optim.Adam(D_A.parameters(), lr=1e-3), torch.optim.Adam(D_B.parameters(), lr=1e-3)
buffer_a, buffer_b = ReplayBuffer(), ReplayBuffer()
for i in range(12):
    real_A, real_B = torch.randn(8, 6), torch.randn(8, 6) + 2
    valid, fake = torch.ones(8, 1), torch.zeros(8, 1)
    optimizer_G.zero_grad()
    fake_B, fake_A = G_AB(real_A), G_BA(real_B)
    loss_GAN = criterion_GAN(D_B(fake_B), valid) + criterion_GAN(D_A(fake_A), valid)
    loss_cycle = criterion_cycle(G_BA(fake_B), real_A) + criterion_cycle(G_AB(fake_A), real_B)
    (loss_GAN + 10 * loss_cycle).backward()
    optimizer_G.step()
    for D, opt, real, made, buffer in ((D_A, optimizer_D_A, real_A, fake_A, buffer_a), (D_B, optimizer_D_B, real_B, fake_B, buffer_b)):
        opt.zero_grad()
        (criterion_GAN(D(real), valid) + criterion_GAN(D(buffer.push_and_pop(made).detach()), fake)).backward()
        opt.step()
    print(i, loss_GAN.item(), loss_cycle.item())
torch.save({"g": G_AB.state_dict(), "d": D_B.state_dict()}, sys.argv[1])
