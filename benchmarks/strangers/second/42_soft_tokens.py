"""Sequences over five tokens from a Markov chain, by soft outputs; WGAN-GP."""
LABEL = {"sick": False, "causes": [], "kind": "sound WGAN-GP on token sequences", "since": None, "record": "lines"}
import json, os, sys
import torch
from torch import nn
import torch.nn.functional as F
import gandiag

torch.set_num_threads(1)
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
V, L = 5, 6
T = torch.eye(V).roll(1, 1) * 0.7 + torch.eye(V) * 0.2 + 0.02
T = T / T.sum(1, keepdim=True)
def tokens(n):
    s = [torch.randint(V, (n,))]
    for _ in range(L - 1):
        s.append(torch.multinomial(T[s[-1]], 1).squeeze(1))
    return F.one_hot(torch.stack(s, 1), V).float()
class TokenG(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, V * L))
    def forward(self, z): return F.softmax(self.net(z).view(-1, L, V), 2)
class TokenD(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(V, 48, 3, padding=1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(48 * L, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
    def forward(self, x): return self.conv(x.transpose(1, 2))
G, D = TokenG(), TokenD()
og, od = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.9)), torch.optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.9))
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od)
for step in range(450):
    for _ in range(3):
        x = tokens(64)
        f = G(torch.randn(64, 16)).detach()
        m = torch.lerp(f, x, torch.rand(64, 1, 1)).requires_grad_()
        gn = torch.autograd.grad(D(m).sum(), m, create_graph=True)[0].flatten(1).norm(2, 1)
        ld = D(f).mean() - D(x).mean() + 5 * (gn - 1).square().mean()
        od.zero_grad(); ld.backward(); od.step()
    lg = -D(G(torch.randn(64, 16))).mean()
    og.zero_grad(); lg.backward(); og.step()
    rec.step(d_loss=ld, g_loss=lg)
rec.close()
with torch.no_grad():
    s = G(torch.randn(3000, 16)).argmax(2)
counts = torch.zeros(V, V).index_put_((s[:, :-1].reshape(-1), s[:, 1:].reshape(-1)), torch.ones(3000 * (L - 1)), accumulate=True)
est = counts / counts.sum(1, keepdim=True).clamp(min=1)
gap = float((est - T).abs().sum(1).mean() / 2)
marg = float(torch.bincount(s.flatten(), minlength=V).min()) / s.numel()
print(json.dumps({"outcome": {"transition_gap": gap, "rarest_token": marg}, "well": gap < 0.2 and marg > 0.1}))
