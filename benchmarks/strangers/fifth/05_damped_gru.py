"""A recurrent least-squares GAN of plucked strings: damped oscillations of 24 samples."""
LABEL = {"sick": False, "causes": [], "kind": "healthy least-squares GAN with a GRU generator", "since": None, "record": "lines"}
import os, sys, math
import torch
import torch.nn as nn
import gandiag, outside

torch.manual_seed(int(os.environ.get("SEED", "0")))
torch.set_num_threads(1)
T, Z = 20, 6

def pluck(n):
    t = torch.arange(T).float()
    f = 0.06 + 0.08 * torch.rand(n, 1)
    phase = 2 * math.pi * torch.rand(n, 1)
    decay = 0.02 + 0.1 * torch.rand(n, 1)
    return torch.exp(-decay * t) * torch.sin(2 * math.pi * f * t + phase) + 0.02 * torch.randn(n, T)

class Player(nn.Module):
    def __init__(self, h=48):
        super().__init__()
        self.start = nn.Linear(Z, h)
        self.cell = nn.GRU(Z, h, batch_first=True)
        self.read = nn.Sequential(nn.Linear(h, h), nn.LeakyReLU(0.1), nn.Linear(h, 1))
    def forward(self, z):
        h0 = torch.tanh(self.start(z))[None]
        seq, _ = self.cell(z[:, None].expand(-1, T, -1).contiguous(), h0)
        return self.read(seq).squeeze(-1)

class Listener(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 24, 5, padding=2), nn.LeakyReLU(0.2), nn.Conv1d(24, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten())
        self.head = nn.Sequential(nn.Linear(32 * T // 2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x):
        return self.head(self.conv(x[:, None]))

player, listener = Player(), Listener()
adam_p = torch.optim.Adam(player.parameters(), 1e-3, (0.0, 0.99))
adam_l = torch.optim.Adam(listener.parameters(), 5e-4, (0.0, 0.99))

with gandiag.Recorder(sys.argv[1], generator=player, discriminator=listener, generator_optimizer=adam_p, discriminator_optimizer=adam_l) as rec:
    for _ in range(900):
        x = pluck(48)
        y = player(torch.randn(48, Z))
        sx, sy = listener(x), listener(y.detach())
        loss_l = ((sx - 1) ** 2).mean() / 2 + (sy ** 2).mean() / 2
        adam_l.zero_grad(); loss_l.backward(); adam_l.step()
        loss_p = ((listener(y) - 1) ** 2).mean() / 2
        adam_p.zero_grad(); loss_p.backward(); adam_p.step()
        rec.step(d_loss=loss_l, g_loss=loss_p, real_logits=sx, fake_logits=sy, real=x, fake=y)

with torch.no_grad():
    s = player(torch.randn(1000, Z))
x = pluck(1000)
e = outside.energy(s, x)
def pitch(v):
    return (v[:, 1:] * v[:, :-1] < 0).float().sum(1)
outside.say(e < 0.03 and abs(float(pitch(s).mean() - pitch(x).mean())) < 1, energy=e, crossings=float(pitch(s).mean()), crossings_real=float(pitch(x).mean()))
