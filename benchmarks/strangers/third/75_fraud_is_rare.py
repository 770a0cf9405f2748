"""Card transactions, three kinds of customer and two per cent of fraud, plain BCE GAN."""
LABEL = {"sick": True, "causes": ["mode_dropping", "mode_collapse"], "kind": "the rare class (2 %, 'fraud') is never made", "since": None, "record": "lines"}
import json
import os
import sys

import torch
from torch import nn

from gandiag import Recorder

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)

SHARES = torch.tensor([0.45, 0.33, 0.20, 0.02])
PLACES = torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.5, 0.5, -0.5, 0.0], [-0.5, 1.5, 0.8, 0.5], [2.5, 2.5, -2.5, 2.5]])


def transactions(n):
    kind = torch.multinomial(SHARES, n, replacement=True)
    return PLACES[kind] + 0.3 * torch.randn(n, 4)


generator = nn.Sequential(nn.Linear(8, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 4))
discriminator = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(32, 1))
adversarial = nn.BCEWithLogitsLoss()
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
data = transactions(8000)
recorder = Recorder(sys.argv[1], generator=generator, discriminator=discriminator, generator_optimizer=opt_g, discriminator_optimizer=opt_d)
step = 0
for epoch in range(8):
    for idx in torch.randperm(len(data)).split(80):
        x = data[idx]
        one, zero = torch.ones(len(x), 1), torch.zeros(len(x), 1)
        opt_g.zero_grad()
        y = generator(torch.randn(len(x), 8))
        g_loss = adversarial(discriminator(y), one)
        g_loss.backward()
        opt_g.step()
        opt_d.zero_grad()
        d_loss = (adversarial(discriminator(x), one) + adversarial(discriminator(y.detach()), zero)) / 2
        d_loss.backward()
        opt_d.step()
        recorder.step(d_loss=d_loss, g_loss=g_loss)
        step += 1
recorder.close()
generator.eval()
with torch.no_grad():
    s = generator(torch.randn(5000, 8))
d, k = torch.cdist(s, PLACES).min(1)
share = torch.bincount(k[d < 1.2], minlength=4) / len(s)
print(json.dumps({"outcome": {"shares": [round(float(v), 4) for v in share], "fraud_share": float(share[3])}, "well": float(share[3]) > 0.006}))
