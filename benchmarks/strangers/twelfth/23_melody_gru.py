"""Ten-note melodies from a GRU writer fed with noise at every note; relativistic hinge judge."""
LABEL = {"sick": False, "causes": [], "kind": "recurrent G, relativistic hinge, gradient clipping, judge's loss near 2 minus a little all along; melodies fit", "since": 0, "record": "attach"}
import os, random
import numpy as np, torch, torch.nn as nn
import outside
SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)
T = 10


def melodies(n):
    """slow arches: home note, a climb of random height, back home"""
    h = 0.4 + 0.6 * torch.rand(n, 1)
    peak = 0.3 + 0.4 * torch.rand(n, 1)
    t = torch.linspace(0, 1, T)
    up = (t / peak).clamp(max=1); down = ((1 - t) / (1 - peak)).clamp(max=1)
    return 2 * h * torch.minimum(up, down) - 0.6 + 0.06 * torch.randn(n, T)


class Writer(nn.Module):
    def __init__(self, nz=6, nh=32):
        super().__init__()
        self.nz = nz
        self.start = nn.Linear(nz, nh)
        self.rnn = nn.GRU(nz + 1, nh, batch_first=True)
        self.out = nn.Linear(nh, 1)
        self.register_buffer("clock", torch.linspace(-1, 1, T).view(1, T, 1))

    def forward(self, n):
        z = torch.randn(n, self.nz)
        per_note = 0.3 * torch.randn(n, T, self.nz)
        h, _ = self.rnn(torch.cat([per_note + z[:, None], self.clock.expand(n, T, 1)], 2), torch.tanh(self.start(z))[None])
        return self.out(h)[..., 0]


writer = Writer()
judge = nn.Sequential(nn.Linear(T, 64), nn.LeakyReLU(.2), nn.Linear(64, 64), nn.LeakyReLU(.2), nn.Linear(64, 1))
ow = torch.optim.Adam(writer.parameters(), lr=1e-3, betas=(.5, .9))
oj = torch.optim.Adam(judge.parameters(), lr=1e-3, betas=(.5, .9), weight_decay=1e-3)
relu = torch.relu
for it in range(2200):
    x = melodies(64) + 0.1 * torch.randn(64, T); y = writer(64)
    a, b = judge(x), judge(y.detach() + 0.1 * torch.randn(64, T))
    lj = relu(1 - (a - b.mean())).mean() + relu(1 + (b - a.mean())).mean()
    oj.zero_grad(); lj.backward(); nn.utils.clip_grad_norm_(judge.parameters(), 5.); oj.step()
    a, b = judge(x).detach(), judge(y + 0.1 * torch.randn(64, T))
    lw = relu(1 + (a - b.mean())).mean() + relu(1 - (b - a.mean())).mean()
    ow.zero_grad(); lw.backward(); nn.utils.clip_grad_norm_(writer.parameters(), 1.); ow.step()
    if it == 1500:
        for o in (ow, oj): o.param_groups[0]["lr"] = 3e-4
with torch.no_grad():
    e = outside.energy(writer(1000), melodies(1000))
outside.say(e < 0.03, energy=e)
