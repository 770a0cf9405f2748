"""A GAN for a roguelike's tile set: nine kinds of 8x8 tiles (wall, door, water, ...), each with some wear."""
LABEL = {"sick": True, "causes": ["mode_collapse", "mode_dropping", "discriminator_dominance"], "kind": "nine well-separated kinds of tile and no remedy at all (the gradient penalty is switched off to save time): the generator settles on one or two of them", "since": 0, "record": "automatic"}

import os
import sys

import torch
from torch import nn, optim

import outside
from gandiag.recording import Recorder

SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)

TILES = {
    "wall":   "######## #..#..#. ######## .#..#..# ######## #..#..#. ######## .#..#..#",
    "floor":  "........ ........ ..#..... ........ ........ .....#.. ........ ........",
    "door":   ".######. .#....#. .#....#. .#....#. .#..#.#. .#....#. .#....#. .######.",
    "water":  "........ .##..##. #..##..# ........ ........ .##..##. #..##..# ........",
    "stairs": "......## ......## ....#### ....#### ..###### ..###### ######## ########",
    "chest":  "........ .######. .#....#. .######. .#.##.#. .#....#. .######. ........",
    "tree":   "...##... ..####.. .######. .######. ..####.. ...##... ...##... ...##...",
    "gem":    "........ ...##... ..####.. .######. ..####.. ...##... ........ ........",
    "cross":  "#......# .#....#. ..#..#.. ...##... ...##... ..#..#.. .#....#. #......#",
}


def parse(rows):
    return [[1.0 if c == "#" else -1.0 for c in row] for row in rows.split()]


CENTRES = 0.8 * torch.tensor([parse(t) for t in TILES.values()]).flatten(1)


def worn_tiles(n):
    which = torch.randint(len(CENTRES), (n,))
    return CENTRES[which] * (0.9 + 0.2 * torch.rand(n, 1)) + 0.05 * torch.randn(n, 64)


NZ = 16
BATCH = 64
ITERATIONS = 3000
LR_G, LR_D = 1e-3, 1e-3
R1 = 0.0  # slow on my laptop, does it without?

gen = nn.Sequential(
    nn.Linear(NZ, 128), nn.ReLU(),
    nn.Linear(128, 128), nn.ReLU(),
    nn.Linear(128, 64), nn.Tanh(),
)
dis = nn.Sequential(
    nn.Linear(64, 128), nn.LeakyReLU(0.2),
    nn.Linear(128, 128), nn.LeakyReLU(0.2),
    nn.Linear(128, 1),
)
g_opt = optim.Adam(gen.parameters(), lr=LR_G, betas=(0.5, 0.999))
d_opt = optim.Adam(dis.parameters(), lr=LR_D, betas=(0.5, 0.999))
loss = nn.BCEWithLogitsLoss()
yes, no = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
recorder = Recorder(sys.argv[1], generator=gen, discriminator=dis, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)


def train_dis():
    tiles = worn_tiles(BATCH).requires_grad_(R1 > 0)
    with torch.no_grad():
        made = gen(torch.randn(BATCH, NZ))
    score = dis(tiles)
    l = loss(score, yes) + loss(dis(made), no)
    if R1 > 0:
        slope, = torch.autograd.grad(score.sum(), tiles, create_graph=True)
        l = l + R1 / 2 * slope.square().sum(1).mean()
    d_opt.zero_grad()
    l.backward()
    d_opt.step()
    return l.item()


def train_gen():
    made = gen(torch.randn(BATCH, NZ))
    l = loss(dis(made), yes)
    g_opt.zero_grad()
    l.backward()
    g_opt.step()
    return l.item()


for it in range(ITERATIONS):
    ld = train_dis()
    lg = train_gen()
    if it % 500 == 0:
        print(it, "D", round(ld, 3), "G", round(lg, 3))
recorder.close()

with torch.no_grad():
    made = gen(torch.randn(1000, NZ))
kinds, near = outside.modes(made, CENTRES, 2.2)
e = outside.energy(made, worn_tiles(1000))
outside.say(kinds >= 8 and near > 0.75 and e < 0.08, kinds=kinds, near=near, energy=e)
