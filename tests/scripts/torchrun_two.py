"""Data parallel over the processes that torchrun starts; the group is gone before the script ends, as tutorials close it."""
import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import softplus
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
generator = DistributedDataParallel(nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)))
critic = DistributedDataParallel(nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)))
opt_g = torch.optim.Adam(generator.parameters(), 1e-3)
opt_c = torch.optim.Adam(critic.parameters(), 1e-3)
torch.manual_seed(10 + rank)
for step in range(30):
    real, fake = torch.randn(16, 2) + 1, generator(torch.randn(16, 4))
    opt_c.zero_grad()
    scores = critic(torch.cat([real, fake.detach()]))
    (softplus(-scores[:16]).mean() + softplus(scores[16:]).mean()).backward()
    opt_c.step()
    opt_g.zero_grad()
    softplus(-critic(fake)).mean().backward()
    opt_g.step()
print(f"rank {rank} ends with {sum(p.sum().item() for p in generator.parameters())}\n", end="")  # in one write: two ranks share a pipe
torch.save(generator.module.state_dict(), f"{sys.argv[1]}-{rank}.pt")
dist.barrier()  # a rank that leaves while the other still talks makes gloo abort now and then
dist.destroy_process_group()
