"""Mixture of five in four dimensions with callbacks, among them one that goes back to the best generator when the loss worsens."""
import copy, os, sys
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["stagnation", "discriminator_dominance", "objective_fault"],
         "kind": "G is rolled back to its 'best' state whenever its loss rises; the best is that of the first "
                 "steps, when D knew nothing", "since": 40,
         "record": "automatic"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)
CENTRES = torch.tensor([[1.5, 0, 0, 1.0], [-1.5, 0.5, 0, -1.0], [0, 1.5, 1.2, 0], [0, -1.5, 0.8, 0.6], [0.3, 0.2, -1.8, -0.3]])

def sample(n):
    return CENTRES[torch.randint(5, (n,))] + 0.2 * torch.randn(n, 4)

class Callback:
    def after_step(self, run, losses): ...

class KeepBest(Callback):
    def __init__(self, every=20):
        self.every, self.best, self.seen, self.state = every, float("inf"), [], None
    def after_step(self, run, losses):
        self.seen.append(losses["g"])
        if len(self.seen) < self.every:
            return
        mean, self.seen = sum(self.seen) / len(self.seen), []
        if mean < self.best:
            self.best, self.state = mean, copy.deepcopy(run.G.state_dict())
        elif mean > 1.15 * self.best:
            run.G.load_state_dict(self.state)
            run.returns += 1

class Progress(Callback):
    def after_step(self, run, losses):
        if run.step % 1000 == 999:
            print(run.step + 1, {k: round(v, 3) for k, v in losses.items()}, "returns:", run.returns)

class Run:
    def __init__(self, callbacks, steps=2200, batch=100, lr=1e-3):
        self.callbacks, self.steps, self.batch, self.returns = callbacks, steps, batch, 0
        mlp = lambda i, o: nn.Sequential(nn.Linear(i, 100), nn.GELU(), nn.Linear(100, 100), nn.GELU(), nn.Linear(100, 100),
                nn.GELU(), nn.Linear(100, o))
        self.G, self.D = mlp(8, 4), mlp(4, 1)
        self.og = torch.optim.AdamW(self.G.parameters(), lr, betas=(0.0, 0.99), weight_decay=0)
        self.od = torch.optim.AdamW(self.D.parameters(), lr, betas=(0.0, 0.99), weight_decay=0)
    def __call__(self):
        bce = nn.functional.binary_cross_entropy_with_logits
        for self.step in range(self.steps):
            x = sample(self.batch).requires_grad_()
            y = self.G(torch.randn(self.batch, 8))
            a, b = self.D(x), self.D(y.detach())
            slope = torch.autograd.grad(a.sum(), x, create_graph=True)[0].pow(2).sum(1).mean()
            d = bce(a, torch.ones_like(a)) + bce(b, torch.zeros_like(b))
            self.od.zero_grad(); (d + 0.2 * slope).backward(); self.od.step()
            c = self.D(y)
            g = bce(c, torch.ones_like(c))
            self.og.zero_grad(); g.backward(); self.og.step()
            for callback in self.callbacks:
                callback.after_step(self, {"d": d.item(), "g": g.item()})

run = Run([KeepBest(), Progress()])
with gandiag.Recorder(sys.argv[1], generator=run.G, discriminator=run.D, generator_optimizer=run.og,
        discriminator_optimizer=run.od, automatic=True):
    run()
with torch.no_grad():
    s = run.G(torch.randn(1000, 8))
found, near = outside.modes(s, CENTRES, 0.9)
e = outside.energy(s, sample(1000))
outside.say(found == 5 and near > 0.85 and e < 0.02, modes=found, near=near, energy=e)
