"""One gloo process under DistributedDataParallel, as a launcher starts it; the loss goes through D's wrapper and G's."""
import json
import os
import sys
import tempfile

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import softplus
from torch.nn.parallel import DistributedDataParallel as DDP


def main(out):
    meeting = tempfile.mkdtemp()
    dist.init_process_group("gloo", init_method=f"file://{meeting}/store", rank=0, world_size=1)
    torch.manual_seed(32)
    generator = DDP(nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 5)))
    discriminator = DDP(nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1)), broadcast_buffers=False)
    opt_g = torch.optim.Adam(generator.parameters(), 1e-3)
    opt_d = torch.optim.Adam(discriminator.parameters(), 1e-3)
    own = {"real": [], "d_norm": [], "g_norm": []}
    for epoch in range(2):
        for _ in range(9):
            real = torch.randn(16, 5)
            with torch.no_grad():
                fake = generator(torch.randn(16, 6))
            real_score = discriminator(real)
            loss_d = softplus(-real_score).mean() + softplus(discriminator(fake)).mean()
            opt_d.zero_grad()
            loss_d.backward()
            own["real"].append(real_score.mean().item())
            own["d_norm"].append(torch.cat([p.grad.flatten() for p in discriminator.parameters()]).norm().item())
            opt_d.step()
            for p in discriminator.parameters():
                p.requires_grad_(False)
            loss_g = softplus(-discriminator(generator(torch.randn(16, 6)))).mean()
            opt_g.zero_grad()
            loss_g.backward()
            own["g_norm"].append(torch.cat([p.grad.flatten() for p in generator.parameters()]).norm().item())
            opt_g.step()
            for p in discriminator.parameters():
                p.requires_grad_(True)
        print(epoch, loss_d.item(), loss_g.item())
    torch.save({"g": generator.module.state_dict(), "d": discriminator.module.state_dict()}, out)
    json.dump(own, open(out + ".json", "w"))
    dist.barrier()
    dist.destroy_process_group()
    os.remove(f"{meeting}/store") if os.path.exists(f"{meeting}/store") else None


main(sys.argv[1])
