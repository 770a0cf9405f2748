"""continue training of the trajectory GAN from a snapshot."""
import copy
import os
import random

import numpy as np
import torch
import torch.nn as nn

import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "mode_collapse"], "kind": "after the resume at 500 D is a new object but its optimizer still holds the old one: D is frozen", "since": 500, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

STEPS, T = 1800, 12


def trajectories(n):
    """2-D random turns: heading, curvature and speed vary."""
    heading = np.random.uniform(-1.2, 1.2, (n, 1))
    curve = np.random.choice([-0.25, 0.0, 0.25], (n, 1)) + 0.04 * np.random.randn(n, 1)
    speed = np.random.uniform(0.1, 0.2, (n, 1))
    th = heading + curve * np.arange(T)
    xy = np.stack([np.cumsum(speed * np.cos(th), 1), np.cumsum(speed * np.sin(th), 1)], 2)
    return torch.tensor(xy, dtype=torch.float32)


class TrajG(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(6, 64), nn.LeakyReLU(0.1), nn.Linear(64, 64), nn.LeakyReLU(0.1), nn.Linear(64, 2 * T))

    def forward(self, z):
        return (0.2 * self.trunk(z)).view(-1, T, 2).cumsum(1)


class TrajD(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 24, 3, padding=1)
        self.fc1 = nn.Linear(24 * T, 48)
        self.fc2 = nn.Linear(48, 1)

    def forward(self, x):
        h = nn.functional.leaky_relu(self.conv(x.transpose(1, 2)), 0.2)
        return self.fc2(nn.functional.leaky_relu(self.fc1(h.flatten(1)), 0.2)).view(-1)


class State:
    def __init__(self):
        self.G, self.D = TrajG(), TrajD()
        self.opt_G = torch.optim.Adam(self.G.parameters(), lr=5e-4, betas=(0.5, 0.999))
        self.opt_D = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.999))

    def snapshot(self):
        return copy.deepcopy({"G": self.G.state_dict(), "D": self.D.state_dict(), "oG": self.opt_G.state_dict(), "oD": self.opt_D.state_dict()})

    def restore(self, snap):
        self.G.load_state_dict(snap["G"])
        self.D = TrajD()
        self.D.load_state_dict(snap["D"])
        self.opt_G.load_state_dict(snap["oG"])
        self.opt_D.load_state_dict(snap["oD"])


def train(st, first, last):
    ce = nn.BCEWithLogitsLoss()
    for i in range(first, last):
        st.opt_D.zero_grad()
        r = st.D(trajectories(64))
        f = st.D(st.G(torch.randn(64, 6)).detach())
        (ce(r, torch.ones(64)) + ce(f, torch.zeros(64))).backward()
        st.opt_D.step()

        st.opt_G.zero_grad()
        ce(st.D(st.G(torch.randn(64, 6))), torch.ones(64)).backward()
        st.opt_G.step()


st = State()
train(st, 0, 500)
snap = st.snapshot()
st.restore(snap)
train(st, 500, STEPS)

with torch.no_grad():
    out = st.G(torch.randn(1000, 6))
e = outside.energy(out, trajectories(1000))
outside.say(e < 0.08, energy=e)
