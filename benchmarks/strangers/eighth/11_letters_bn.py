# coding: utf-8
"""GAN assignment: generate 16x16 "letters". Network parts are generated from a list of layers."""
import os
import sys
import random
import numpy as np
import torch
import torch.nn as nn
import gandiag
import outside

LABEL = {"sick": True, "causes": ["discriminator_weakness", "objective_fault", "stagnation", "mode_collapse"],
         "kind": "BatchNorm behind the last (logit) layer of D: with all-real and all-fake batches D's mean output is the same for both",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

LETTERS = {
    "L": ["1....", "1....", "1....", "1....", "11111"],
    "T": ["11111", "..1..", "..1..", "..1..", "..1.."],
    "U": ["1...1", "1...1", "1...1", "1...1", "11111"],
    "Z": ["11111", "...1.", "..1..", ".1...", "11111"],
}


def make_letters(n):
    glyphs = [np.kron(np.array([[c == "1" for c in row] for row in rows]), np.ones((2, 2))) for rows in LETTERS.values()]
    out = np.zeros((n, 1, 16, 16), dtype=np.float32)
    for k in range(n):
        i, j = np.random.randint(3, 5, size=2)
        out[k, 0, i:i + 10, j:j + 10] = glyphs[np.random.randint(len(glyphs))]
    out = out * 1.8 - 0.9 + 0.15 * np.random.randn(*out.shape)
    return torch.tensor(out, dtype=torch.float32).clamp(-1, 1)


def build(spec):
    layers = []
    for kind, *args in spec:
        if kind == "fc":
            layers += [nn.Linear(*args)]
        elif kind == "bn":
            layers += [nn.BatchNorm1d(*args)]
        elif kind == "relu":
            layers += [nn.ReLU()]
        elif kind == "lrelu":
            layers += [nn.LeakyReLU(0.2)]
        elif kind == "tanh":
            layers += [nn.Tanh()]
        elif kind == "sigmoid":
            layers += [nn.Sigmoid()]
    return nn.Sequential(*layers)


NOISE = 32
G = build([("fc", NOISE, 96), ("bn", 96), ("relu",), ("fc", 96, 160), ("bn", 160), ("relu",), ("fc", 160, 256), ("tanh",)])
D = build([("fc", 256, 128), ("lrelu",),
           ("fc", 128, 64), ("lrelu",),
           ("fc", 64, 1), ("bn", 1), ("sigmoid",)])

X = make_letters(3000)
bce = nn.BCELoss()
g_optimizer = torch.optim.Adam(G.parameters(), lr=0.0008, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(D.parameters(), lr=0.0004, betas=(0.5, 0.999))

rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_optimizer,
                       discriminator_optimizer=d_optimizer, discriminator_output="probability", automatic=True)
B = 100
for epoch in range(45):
    order = np.random.permutation(len(X))
    d_total = g_total = 0.0
    for start in range(0, len(X), B):
        real = X[order[start:start + B]].reshape(B, 256)
        noise = torch.randn(B, NOISE)
        fake = G(noise)

        d_real, d_fake = D(real), D(fake.detach())
        d_loss = bce(d_real, torch.ones_like(d_real)) + bce(d_fake, torch.zeros_like(d_fake))
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        decision = D(fake)
        g_loss = bce(decision, torch.ones_like(decision))
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        d_total += d_loss.item()
        g_total += g_loss.item()
    if epoch % 10 == 0:
        print("epoch %d  d %.3f  g %.3f" % (epoch, d_total * B / len(X), g_total * B / len(X)))
rec.close()

with torch.no_grad():
    made = G(torch.randn(1000, NOISE))
e = outside.energy(made, make_letters(1000))
outside.say(e < 0.1, energy=e)
