"""Readings of four probes of one reference block, WGAN with weight clipping."""
LABEL = {"sick": True, "causes": ["oscillation"], "kind": "default momentum of both Adams in a Wasserstein game with one critic step: the samples circle around the data", "since": 0, "record": "attach"}
# Readings of four probes of one reference block: a correlated Gaussian cloud off the origin. WGAN with weight clipping.
import os
import torch
from torch import nn
import outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))

mixing = 0.25 * torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
offset = torch.tensor([1.2, -0.8, 0.6, -0.4])

def readings(n):
    return offset + torch.randn(n, 4) @ mixing

def noise(n):
    return torch.randn(n, 4)

probe = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 4))
critic = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
adam_p = torch.optim.Adam(probe.parameters(), lr=1e-3)
adam_c = torch.optim.Adam(critic.parameters(), lr=1e-3)

def critic_step(n=64):
    adam_c.zero_grad()
    gap = critic(readings(n)).mean() - critic(probe(noise(n)).detach()).mean()
    (-gap).backward()
    adam_c.step()
    with torch.no_grad():
        for w in critic.parameters():
            w.clamp_(-0.05, 0.05)
    return gap.item()

def probe_step(n=64):
    adam_p.zero_grad()
    (-critic(probe(noise(n))).mean()).backward()
    adam_p.step()

late = []
for t in range(1500):
    gap = critic_step()
    probe_step()
    if t % 300 == 0:
        print(t, gap)
    if t >= 1000 and t % 20 == 0:
        with torch.no_grad():
            late.append(outside.energy(probe(noise(500)), readings(500)))
late.sort()
outside.say(late[len(late) // 2] < 0.03 and late[-1] < 0.06, median=late[len(late) // 2], worst=late[-1])
