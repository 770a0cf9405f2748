"""Five clusters in the plane, resumed from a checkpoint in memory."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation", "discriminator_dominance"], "kind": "after the resume G's optimizer still holds the weights of the old G object", "since": 0, "record": "lines"}
import copy, io, json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
CENTRES = torch.tensor([[0., 0.], [2., 1.], [-2., 1.], [1., -2.], [-1., -2.]])


class Trainer:
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
        self.opt_g = torch.optim.Adam(self.G.parameters(), 1e-3, betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.D.parameters(), 1e-3, betas=(0.5, 0.99))
        self.bce = nn.BCEWithLogitsLoss()

    def batch(self, n=128):
        return CENTRES[torch.randint(5, (n,))] + 0.15 * torch.randn(n, 2)

    def train_step(self):
        x, fake = self.batch(), self.G(torch.randn(128, 4))
        r, f = self.D(x), self.D(fake.detach())
        d = self.bce(r, torch.ones_like(r)) + self.bce(f, torch.zeros_like(f))
        self.opt_d.zero_grad(); d.backward(); self.opt_d.step()
        g = self.bce(self.D(fake), torch.ones_like(f))
        self.opt_g.zero_grad(); g.backward(); self.opt_g.step()
        return d, g

    def save(self):
        buffer = io.BytesIO()
        torch.save({"G": self.G.state_dict(), "D": self.D.state_dict(), "og": self.opt_g.state_dict(), "od": self.opt_d.state_dict()}, buffer)
        buffer.seek(0)
        return buffer

    def load(self, buffer):
        state = torch.load(buffer)
        self.G = copy.deepcopy(self.G)  # "so that the EMA copy is not overwritten"
        self.G.load_state_dict(state["G"]); self.D.load_state_dict(state["D"])
        self.opt_g.load_state_dict(state["og"]); self.opt_d.load_state_dict(state["od"])


first = Trainer()
for _ in range(60):
    first.train_step()
checkpoint = first.save()

trainer = Trainer()
trainer.load(checkpoint)
recorder = gandiag.Recorder(sys.argv[1], generator=trainer.G, discriminator=trainer.D, generator_optimizer=trainer.opt_g, discriminator_optimizer=trainer.opt_d)
for step in range(800):
    d_loss, g_loss = trainer.train_step()
    recorder.step(d_loss=d_loss, g_loss=g_loss)
recorder.close()
with torch.no_grad():
    s = trainer.G(torch.randn(2000, 4))
dist, which = torch.cdist(s, CENTRES).min(1)
good = float((dist < 0.6).float().mean())
covered = int((torch.bincount(which[dist < 0.6], minlength=5) > 40).sum())
print(json.dumps({"outcome": {"good": good, "covered": covered}, "well": good > 0.7 and covered == 5}))
