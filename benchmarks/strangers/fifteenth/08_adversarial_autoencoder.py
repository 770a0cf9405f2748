"""Adversarial autoencoder on the 8x8 digits: the code is pushed to a Gaussian, then decoded into new digits."""
LABEL = {"sick": False, "causes": [], "kind": "three optimizers, the game is played in the 6-dimensional code (the encoder is the generator, its 'real data' are noise), pictures come from a decoder the discriminator never sees", "since": None, "record": "attach"}

import itertools
import os

import torch
from torch import nn

import outside

torch.set_num_threads(1)
seed = int(os.environ.get("SEED", "0"))
torch.manual_seed(seed)

CODE = 6
x, _ = outside.digits()
x = x.flatten(1)
N = len(x)


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.ReLU())


encoder = nn.Sequential(block(64, 200), block(200, 100), nn.Linear(100, CODE))
decoder = nn.Sequential(block(CODE, 100), block(100, 200), nn.Linear(200, 64), nn.Tanh())
critic = nn.Sequential(nn.Linear(CODE, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))

opt_rec = torch.optim.Adam(itertools.chain(encoder.parameters(), decoder.parameters()), lr=1e-3)
opt_enc = torch.optim.Adam(encoder.parameters(), lr=3e-4, betas=(0.5, 0.9))
opt_cri = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.functional.binary_cross_entropy_with_logits

for it in range(3000):
    b = x[torch.randint(N, (100,))]

    # 1. reconstruction, the code a little noisy so that the decoder is smooth
    code = encoder(b)
    rec = nn.functional.mse_loss(decoder(code + 0.1 * torch.randn_like(code)), b)
    opt_rec.zero_grad()
    rec.backward()
    opt_rec.step()

    # 2. the critic tells codes from the prior
    prior = torch.randn(100, CODE)
    code = encoder(b).detach()
    s_prior, s_code = critic(prior), critic(code)
    loss_c = bce(s_prior, torch.ones_like(s_prior)) + bce(s_code, torch.zeros_like(s_code))
    opt_cri.zero_grad()
    loss_c.backward()
    opt_cri.step()

    # 3. the encoder hides its codes among the prior's
    s = critic(encoder(b))
    loss_e = bce(s, torch.ones_like(s))
    opt_enc.zero_grad()
    loss_e.backward()
    opt_enc.step()

    if it % 500 == 0:
        print(f"{it:5d} rec {rec.item():.4f} critic {loss_c.item():.3f} encoder {loss_e.item():.3f}")

with torch.no_grad():
    new = decoder(torch.randn(1000, CODE))
    codes = encoder(x)
    back = nn.functional.mse_loss(decoder(codes), x).item()
classes, near, _ = outside.digit_quality(new)
e = outside.energy(new, x[torch.randperm(N)])
e_code = outside.energy(codes[torch.randperm(N)], torch.randn(1000, CODE))
outside.say(classes == 10 and near < 1.3 and e < 0.06 and e_code < 0.04, classes=classes, near=near, energy=e, code_energy=e_code, rec=back)
