#!/usr/bin/env python
# coding: utf-8

"""# Generating coloured shapes with a small GAN."""
# In[1]:
import os, sys, random
import numpy as np
import torch, torch.nn as nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "reals normalised to [-1, 1], the generator ends in a sigmoid (0..1) and can never make the dark background",
         "since": 0, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# In[2]:
def draw(n, rng, s=16):
    """n RGB pictures of a disc or a box in one of a few colours on black"""
    colours = np.array([[230, 60, 50], [60, 200, 80], [70, 90, 240], [240, 220, 70]], dtype=np.float32)
    yy, xx = np.mgrid[:s, :s]
    out = np.zeros((n, s, s, 3), dtype=np.float32)
    for k in range(n):
        cy, cx = rng.uniform(5.5, 9.5, 2)
        r = rng.uniform(3.0, 5.0)
        if rng.random() < 0.5:
            d = np.sqrt((yy - cy) ** 2 + (xx - cx) ** 2) - r
        else:
            d = np.maximum(abs(yy - cy), abs(xx - cx)) - r * 0.9
        mask = 1 / (1 + np.exp(3 * d))
        out[k] = mask[..., None] * colours[rng.integers(4)]
    return out.astype(np.uint8)

rng = np.random.default_rng(SEED)
raw = draw(3000, rng)

# In[3]: preprocessing (same as transforms.ToTensor + Normalize((0.5,)*3, (0.5,)*3))
X = torch.from_numpy(raw).permute(0, 3, 1, 2).float() / 255.
X = (X - 0.5) / 0.5

# In[4]:
G = nn.Sequential(
    nn.Linear(48, 64 * 4 * 4), nn.BatchNorm1d(64 * 16), nn.ReLU(),
    nn.Unflatten(1, (64, 4, 4)),
    nn.Upsample(scale_factor=2), nn.Conv2d(64, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
    nn.Upsample(scale_factor=2), nn.Conv2d(32, 3, 3, padding=1), nn.Sigmoid(),
)
D = nn.Sequential(
    nn.Conv2d(3, 24, 4, 2, 1), nn.LeakyReLU(0.2),
    nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2),
    nn.Flatten(), nn.Dropout(0.25), nn.Linear(48 * 16, 1),
)

# In[5]:
g_opt = torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.99))
d_opt = torch.optim.Adam(D.parameters(), 5e-4, betas=(0.5, 0.99))
bce = nn.BCEWithLogitsLoss()
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt, automatic=True)

# In[6]:
B = 64
for it in range(700):
    xb = X[torch.randint(len(X), (B,))]
    fb = G(torch.randn(B, 48))
    lr_, lf_ = D(xb), D(fb.detach())
    d_loss = (bce(lr_, torch.ones_like(lr_)) + bce(lf_, torch.zeros_like(lf_))) / 2
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()

    lf_ = D(fb)
    g_loss = bce(lf_, torch.ones_like(lf_))
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
rec.close()

# In[7]:
with torch.no_grad():
    S = G(torch.randn(1000, 48))
test = torch.from_numpy(draw(1000, rng)).permute(0, 3, 1, 2).float() / 127.5 - 1
e = outside.energy(S, test)
outside.say(e < 0.15, energy=e)
