"""
Conditional adversarial restoration of blurred, noisy digits: residual CNN + local critic, lambda_rec = 50.
"""
import os
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import outside

LABEL = {"sick": False, "causes": [], "kind": "image restoration with a heavy L1 term: D is right most of the time and G's adversarial loss rises, the output is what counts",
         "since": None, "record": "attach"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

clean, _ = outside.digits()
train, test = clean[:1400], clean[1400:]
KERNEL = torch.tensor([[1., 2., 1.], [2., 4., 2.], [1., 2., 1.]]).view(1, 1, 3, 3) / 16


def degrade(x):
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), KERNEL) + 0.15 * torch.randn_like(x)


class Restorer(nn.Module):
    def __init__(self, width=20):
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.mid = nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(2)])
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, y):
        h = F.gelu(self.first(y))
        for m in self.mid:
            h = h + F.gelu(m(h))
        return y + self.last(h)


class LocalCritic(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.conv = nn.Conv2d(2, width, 3, stride=2, padding=1)
        self.fc = nn.Linear(width * 16, 1)

    def forward(self, y, x):
        return self.fc(F.leaky_relu(self.conv(torch.cat([y, x], 1)), 0.2).flatten(1))


R, C = Restorer(), LocalCritic()
opt_r = torch.optim.Adam(R.parameters(), lr=1e-3, betas=(0.9, 0.999))
opt_c = torch.optim.Adam(C.parameters(), lr=4e-4, betas=(0.5, 0.999))

for step in range(900):
    x = train[torch.randint(len(train), (24,))]
    y = degrade(x)
    xh = R(y)

    real_score, fake_score = C(y, x), C(y, xh.detach())
    loss_c = F.binary_cross_entropy_with_logits(real_score, torch.full_like(real_score, 0.9)) \
        + F.binary_cross_entropy_with_logits(fake_score, torch.zeros_like(fake_score))
    opt_c.zero_grad()
    loss_c.backward()
    opt_c.step()

    score = C(y, xh)
    loss_r = F.binary_cross_entropy_with_logits(score, torch.ones_like(score)) + 50 * F.l1_loss(xh, x)
    opt_r.zero_grad()
    loss_r.backward()
    nn.utils.clip_grad_norm_(R.parameters(), 5.0)
    opt_r.step()

with torch.no_grad():
    y = degrade(test)
    before, after = float((y - test).abs().mean()), float((R(y) - test).abs().mean())
outside.say(after < 0.75 * before, l1_before=before, l1_after=after)
