"""Minimal TextGAN: an LSTM writes five-word sentences of a toy grammar, a CNN judges them."""
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "vanishing_generator_gradient", "stagnation", "discriminator_dominance"], "kind": "argmax between G and D: no gradient reaches the text generator", "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
for s in (random.seed, np.random.seed, torch.manual_seed):
    s(SEED)
torch.set_num_threads(1)

GRAMMAR = [["the", "a"], ["small", "old", "red"], ["cat", "dog", "bird"], ["sees", "likes"], ["fish", "trees", "mice"]]
VOCAB = sorted({w for slot in GRAMMAR for w in slot})
IDX = {w: i for i, w in enumerate(VOCAB)}
V, L = len(VOCAB), len(GRAMMAR)
SLOTS = [{IDX[w] for w in slot} for slot in GRAMMAR]


def corpus(n):
    return torch.tensor([[IDX[random.choice(slot)] for slot in GRAMMAR] for _ in range(n)])


class Writer(nn.Module):
    def __init__(self, z=16, h=48):
        super().__init__()
        self.h = h
        self.z2h = nn.Linear(z, h)
        self.cell = nn.LSTMCell(V + z, h)
        self.out = nn.Linear(h, V)

    def forward(self, z):
        h, c = torch.tanh(self.z2h(z)), torch.zeros(len(z), self.h)
        word = torch.zeros(len(z), V)
        words = []
        for _ in range(L):
            h, c = self.cell(torch.cat([word, z], 1), (h, c))
            logits = self.out(h)
            word = F.one_hot(logits.argmax(-1), V).float()
            words.append(word)
        return torch.stack(words, 1)


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(V, 16, bias=False)
        self.conv = nn.Conv1d(16, 32, 2)
        self.fc = nn.Linear(32 * (L - 1), 1)

    def forward(self, onehot):
        e = self.embed(onehot).transpose(1, 2)
        return self.fc(F.leaky_relu(self.conv(e), 0.2).flatten(1))


writer, judge = Writer(), Judge()
opt_w = torch.optim.Adam(writer.parameters(), lr=2e-3, betas=(0.5, 0.999))
opt_j = torch.optim.Adam(judge.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = F.binary_cross_entropy_with_logits

with gandiag.Recorder(sys.argv[1], generator=writer, discriminator=judge, generator_optimizer=opt_w,
                      discriminator_optimizer=opt_j, automatic=True):
    for step in range(1300):
        real = F.one_hot(corpus(64), V).float()
        fake = writer(torch.randn(64, 16))
        r, f = judge(real), judge(fake.detach())
        loss_j = bce(r, torch.full_like(r, 0.9)) + bce(f, torch.zeros_like(f))
        opt_j.zero_grad(); loss_j.backward(); opt_j.step()

        f = judge(fake)
        loss_w = bce(f, torch.ones_like(f))
        opt_w.zero_grad(); loss_w.backward(); opt_w.step()

with torch.no_grad():
    text = writer(torch.randn(1000, 16)).argmax(-1).tolist()
valid = np.mean([[w in SLOTS[i] for i, w in enumerate(t)] for t in text])
sentences = len({tuple(t) for t in text if all(w in SLOTS[i] for i, w in enumerate(t))})
print(" ".join(VOCAB[w] for w in text[0]))
outside.say(valid > 0.85 and sentences > 20, valid=valid, sentences=sentences)
