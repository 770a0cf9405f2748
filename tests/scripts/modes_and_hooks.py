"""Nets go to eval and back; the script has global hooks of its own, samples with no_grad every step, and may load data in workers."""
import json
import sys

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader, TensorDataset

counts = {"calls": 0, "steps": 0}


def count_calls(module, inputs, output):
    counts["calls"] += 1


def count_steps(optimizer, args, kwargs):
    counts["steps"] += 1


def main():
    torch.manual_seed(36)
    handles = [register_module_forward_hook(count_calls), register_optimizer_step_pre_hook(count_steps)]
    handles.append(register_optimizer_step_post_hook(count_steps))
    data = TensorDataset(torch.randn(160, 6))
    loader = DataLoader(data, batch_size=16, shuffle=True, num_workers=int(sys.argv[2]) if len(sys.argv) > 2 else 0, drop_last=True)
    gen = nn.Sequential(nn.Linear(5, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 6))
    dis = nn.Sequential(nn.Linear(6, 24), nn.Dropout(0.2), nn.ReLU(), nn.Linear(24, 1))
    opt_g, opt_d = torch.optim.RMSprop(gen.parameters(), 1e-3), torch.optim.RMSprop(dis.parameters(), 1e-3)
    fixed, own = torch.randn(100, 5), {"real": [], "fake": [], "d_norm": [], "g_norm": []}
    for epoch in range(2):
        for (real,) in loader:
            gen.eval()
            opt_d.zero_grad()
            fake = gen(torch.randn(16, 5)).data
            on_real, on_fake = dis(real), dis(fake)
            (bce(on_real, torch.ones(16, 1)) + bce(on_fake, torch.zeros(16, 1))).backward()
            own["real"].append(on_real.mean().item())
            own["fake"].append(on_fake.mean().item())
            own["d_norm"].append(torch.cat([p.grad.flatten() for p in dis.parameters()]).norm().item())
            opt_d.step()
            gen.train()
            dis.eval()
            opt_g.zero_grad()
            bce(dis(gen(torch.randn(16, 5))), torch.ones(16, 1)).backward()
            own["g_norm"].append(torch.cat([p.grad.flatten() for p in gen.parameters()]).norm().item())
            opt_g.step()
            dis.train()
            gen.eval()
            with torch.no_grad():
                shown = gen(fixed)
                dis(shown), dis(real)
            gen.train()
        print(epoch, shown.mean().item(), counts["steps"])
    for handle in handles:
        handle.remove()
    torch.save({"g": gen.state_dict(), "d": dis.state_dict()}, sys.argv[1])
    json.dump(own, open(sys.argv[1] + ".json", "w"))


main()
