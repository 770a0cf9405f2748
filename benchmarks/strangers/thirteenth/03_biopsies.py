"""Synthetic patients from the breast cancer table, with a Trainer that validates, keeps checkpoints and reloads the best one."""
LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"], "kind": "at the resume the networks are built anew from the checkpoint while both optimizers still hold the parameters of the old ones, so nothing is trained from then on", "since": 100, "record": "attach"}
import io, os, random
from dataclasses import dataclass
import numpy as np, torch, torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
import outside


@dataclass
class Config:
    seed: int = int(os.environ.get("SEED", "0"))
    latent: int = 16
    hidden: int = 160
    cols: int = 10
    batch: int = 200
    iterations: int = 4000
    resume_at: int = 100
    lr: float = 3e-4


def mlp(i, h, o):
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, o))


class Trainer:
    def __init__(self, cfg, data):
        self.cfg, self.data = cfg, data
        self.build()
        self.opt_g = torch.optim.Adam(self.G.parameters(), cfg.lr, betas=(0.5, 0.9))
        self.opt_d = torch.optim.Adam(self.D.parameters(), cfg.lr, betas=(0.5, 0.9))
        self.step = 0

    def build(self):
        c = self.cfg
        self.G = mlp(c.latent, c.hidden, c.cols)
        self.D = mlp(c.cols, c.hidden, 1)

    def save(self):
        buf = io.BytesIO()
        torch.save({"G": self.G.state_dict(), "D": self.D.state_dict(),
                    "opt_g": self.opt_g.state_dict(), "opt_d": self.opt_d.state_dict(), "step": self.step}, buf)
        return buf.getvalue()

    def load(self, blob):
        ck = torch.load(io.BytesIO(blob))
        self.build()
        self.G.load_state_dict(ck["G"])
        self.D.load_state_dict(ck["D"])
        self.opt_g.load_state_dict(ck["opt_g"])
        self.opt_d.load_state_dict(ck["opt_d"])
        self.step = ck["step"]

    def noise(self, n):
        return torch.randn(n, self.cfg.latent)

    def train_step(self):
        real = self.data[torch.randint(len(self.data), (self.cfg.batch,))].clone().requires_grad_()
        fake = self.G(self.noise(self.cfg.batch))
        s = self.D(real)
        gp = torch.autograd.grad(s.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
        loss_d = torch.relu(1 - s).mean() + torch.relu(1 + self.D(fake.detach())).mean() + 0.2 * gp
        self.opt_d.zero_grad(); loss_d.backward(); self.opt_d.step()
        loss_g = -self.D(fake).mean()
        self.opt_g.zero_grad(); loss_g.backward(); self.opt_g.step()
        self.step += 1
        return loss_d.item(), loss_g.item()

    @torch.no_grad()
    def validate(self):
        self.G.eval()
        f = self.G(self.noise(400))
        self.G.train()
        return (f.mean(0) - self.data.mean(0)).abs().mean().item()

    def fit(self):
        while self.step < self.cfg.iterations:
            ld, lg = self.train_step()
            if self.step % 100 == 0 and self.step <= self.cfg.resume_at:
                blob = self.save()
            if self.step == self.cfg.resume_at:
                self.load(blob)
            if self.step % 500 == 0:
                print(f"step {self.step} d {ld:.3f} g {lg:.3f} val {self.validate():.3f}")


if __name__ == "__main__":
    cfg = Config()
    random.seed(cfg.seed); np.random.seed(cfg.seed); torch.manual_seed(cfg.seed)
    torch.set_num_threads(1)
    table = StandardScaler().fit_transform(load_breast_cancer().data[:, :cfg.cols])
    table = torch.tensor(table, dtype=torch.float32)
    t = Trainer(cfg, table)
    t.fit()
    with torch.no_grad():
        f = t.G(t.noise(1000))
    e = outside.energy(f, table)
    c = float((torch.corrcoef(f.T) - torch.corrcoef(table.T)).abs().mean())
    outside.say(e < 0.03 and c < 0.12, energy=e, corr_error=c)
