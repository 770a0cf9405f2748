"""Melodies as pitch contours (16 notes). The machine is preempted often, so training goes by checkpoints; this is the second half."""
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "the optimizers are made before the generator is replaced by the one of the checkpoint: it never moves again", "since": 0, "record": "lines"}
import io, os, sys
import torch
from torch import nn
import gandiag, outside

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
NOTES, Z = 16, 10

def melodies(n):
    start = 0.4 * torch.randn(n, 1)
    arch = (0.3 + 0.7 * torch.rand(n, 1)) * (torch.randint(2, (n, 1)) * 2.0 - 1)
    t = torch.linspace(0, 1, NOTES)
    wave = 0.25 * torch.sin(2 * 3.14159 * (2 * t + torch.rand(n, 1)))
    return start + arch * torch.sin(3.14159 * t) + wave + 0.04 * torch.randn(n, NOTES)

class Composer(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(Z, 80), nn.ReLU(), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, NOTES))
    def forward(self, z):
        return self.net(z)

class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(1, 24, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv1d(24, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(32 * 8, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    def forward(self, x):
        return self.net(x[:, None])

class Session:
    def __init__(self):
        self.composer, self.critic = Composer(), Critic()
        self.opt_composer = torch.optim.Adam(self.composer.parameters(), lr=8e-4, betas=(0.5, 0.99))
        self.opt_critic = torch.optim.Adam(self.critic.parameters(), lr=8e-4, betas=(0.5, 0.99))

    def save(self):
        box = io.BytesIO()
        torch.save({"composer": self.composer, "critic": self.critic.state_dict(), "opt_composer": self.opt_composer.state_dict(), "opt_critic": self.opt_critic.state_dict()}, box)
        return box.getvalue()

    def load(self, blob):
        ck = torch.load(io.BytesIO(blob), weights_only=False)
        self.composer = ck["composer"]
        self.critic.load_state_dict(ck["critic"])
        self.opt_composer.load_state_dict(ck["opt_composer"])
        self.opt_critic.load_state_dict(ck["opt_critic"])

    def step(self):
        x = melodies(64).requires_grad_()
        y = self.composer(torch.randn(64, Z))
        a, b = self.critic(x), self.critic(y.detach())
        g, = torch.autograd.grad(a.sum(), x, create_graph=True)
        pen = 0.1 * g.pow(2).sum(1).mean()
        ld = nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean()
        self.opt_critic.zero_grad(); (ld + pen).backward(); self.opt_critic.step()
        lg = nn.functional.softplus(-self.critic(y)).mean()
        self.opt_composer.zero_grad(); lg.backward(); self.opt_composer.step()
        return dict(d_loss=ld, g_loss=lg, real_logits=a, fake_logits=b, real=x, fake=y, d_penalty=pen)

before = Session()
for _ in range(50):
    before.step()
checkpoint = before.save()

session = Session()
session.load(checkpoint)
with gandiag.Recorder(sys.argv[1], generator=session.composer, discriminator=session.critic, generator_optimizer=session.opt_composer, discriminator_optimizer=session.opt_critic) as recorder:
    for _ in range(800):
        recorder.step(**session.step())

with torch.no_grad():
    s = session.composer(torch.randn(1000, Z))
e = outside.energy(s, melodies(1000))
outside.say(e < 0.02, energy=e)
