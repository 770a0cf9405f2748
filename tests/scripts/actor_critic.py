"""An actor against a critic of states and actions, with a slow copy of the critic: adversaries by no means."""
import copy
import sys

import torch
from torch import nn
from torch.nn.functional import mse_loss

torch.manual_seed(40)
actor = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1), nn.Tanh())
critic = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
slow = copy.deepcopy(critic)
opt_a, opt_c = torch.optim.Adam(actor.parameters(), 1e-3), torch.optim.Adam(critic.parameters(), 1e-3)
for step in range(12):
    state, after, action, reward = torch.randn(32, 3), torch.randn(32, 3), torch.rand(32, 1), torch.randn(32, 1)
    with torch.no_grad():
        target = reward + 0.9 * slow(torch.cat([after, actor(after)], 1))
    taken, kept = critic(torch.cat([state, action], 1)), critic(torch.cat([after, action], 1))
    value = critic(torch.cat([state, actor(state)], 1))
    loss = mse_loss(taken, target) + 0.1 * kept.pow(2).mean()
    opt_c.zero_grad()
    opt_a.zero_grad()
    loss.backward(retain_graph=True)
    (-value.mean()).backward(inputs=list(actor.parameters()))
    opt_c.step()
    opt_a.step()
    for mine, its in zip(slow.parameters(), critic.parameters()):
        mine.data.lerp_(its.data, 0.05)
    print(step, loss.item())
torch.save({"a": actor.state_dict(), "c": critic.state_dict()}, sys.argv[1])
