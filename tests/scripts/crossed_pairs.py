"""Two generators and two critics whose wires are crossed: each critic is trained on what one generator makes, and steps the other."""

import sys

import torch
from torch import nn

torch.manual_seed(0)
widen = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4))
narrow = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4))
critic_wide = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
critic_narrow = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
both = torch.optim.RMSprop([*widen.parameters(), *narrow.parameters()], 1e-3)
of_critic = {c: torch.optim.RMSprop(c.parameters(), 1e-3) for c in (critic_wide, critic_narrow)}
nets = (widen, narrow, critic_wide, critic_narrow)


def clear():
    for net in nets:
        net.zero_grad()


for step in range(12):
    for maker, critic in ((widen, critic_wide), (narrow, critic_narrow)):
        made = maker(torch.randn(32, 6))
        loss = critic(made).mean() - critic(torch.randn(32, 4) + 2).mean()
        loss.backward()
        of_critic[critic].step()
        clear()
    loss = -critic_narrow(widen(torch.randn(32, 6))).mean() - critic_wide(narrow(torch.randn(32, 6))).mean()
    loss.backward()
    both.step()
    clear()
    print(f"{step} {loss.item():.4f}")

torch.save({str(i): net.state_dict() for i, net in enumerate(nets)}, sys.argv[1])
