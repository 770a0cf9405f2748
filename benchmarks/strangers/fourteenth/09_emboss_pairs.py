"""Paired translation (pix2pix without L1): glyph -> embossed glyph, learnt by the conditional game alone."""
LABEL = {"sick": True, "causes": ["objective_fault", "discriminator_dominance", "data_mismatch"], "kind": "the discriminator sees (input, target) for real pairs but (output, input) for fake ones and tells them apart by order", "since": 0, "record": "attach"}
import argparse, os, random
import numpy as np
import torch
import torch.nn as nn
import outside

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=1800)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--ngf", type=int, default=12)
parser.add_argument("--ndf", type=int, default=16)
parser.add_argument("--lr", type=float, default=8e-4)
args, _ = parser.parse_known_args()


def emboss(x):
    """light from the upper left"""
    pad = nn.functional.pad(x, (1, 1, 1, 1), value=-1.0)
    return torch.tanh(1.2 * (pad[..., 2:, 2:] - pad[..., :-2, :-2]) * 0.6 + 0.5 * x)


class UNetish(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c1 = nn.Conv2d(1, c, 3, padding=1)
        self.c2 = nn.Conv2d(c, c, 3, padding=1)
        self.c3 = nn.Conv2d(c + 1, 1, 3, padding=1)
        self.act = nn.LeakyReLU(0.2)

    def forward(self, x):
        h = self.act(self.c1(x))
        h = self.act(self.c2(h))
        return torch.tanh(self.c3(torch.cat([h, x], 1)))


class PatchD(nn.Module):
    """4x4 grid of patch logits on the concatenated pair"""

    def __init__(self, c):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(2, c, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(c, 2 * c, 3, 1, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * c, 1, 1))

    def forward(self, first, second):
        return self.model(torch.cat([first, second], 1))


glyphs, _ = outside.digits()
inputs, targets = glyphs[:1400], emboss(glyphs[:1400])
test_in, test_out = glyphs[1400:], emboss(glyphs[1400:])

net_g, net_d = UNetish(args.ngf), PatchD(args.ndf)
opt_g = torch.optim.Adam(net_g.parameters(), lr=args.lr, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(net_d.parameters(), lr=args.lr, betas=(0.5, 0.999))
gan_loss = nn.BCEWithLogitsLoss()

for step in range(args.steps):
    idx = torch.randint(0, len(inputs), (args.batch,))
    x, y = inputs[idx], targets[idx]
    y_hat = net_g(x)

    pred_real = net_d(x, y)
    pred_fake = net_d(y_hat.detach(), x)
    loss_d = 0.5 * (gan_loss(pred_real, torch.ones_like(pred_real)) + gan_loss(pred_fake, torch.zeros_like(pred_fake)))
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    pred = net_d(y_hat, x)
    loss_g = gan_loss(pred, torch.ones_like(pred))
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 300 == 0:
        print(f"({step}) D {loss_d.item():.3f}  G {loss_g.item():.3f}  l1 {(y_hat - y).abs().mean().item():.3f}")

with torch.no_grad():
    out = net_g(test_in)
l1 = (out - test_out).abs().mean().item()
e = outside.energy(out, test_out)
outside.say(l1 < 0.15 and e < 0.06, l1=l1, energy=e)
