"""MLP GAN on digits with an exponential moving average of G, as a Trainer with callbacks."""
import os, sys, copy
import torch, torch.nn as nn, torch.nn.functional as F
import gandiag, outside

LABEL = {"sick": True, "causes": ["stagnation"], "since": 25, "record": "automatic",
         "kind": "every 25 steps the sampler puts the slow average's weights into G and never puts G's own back"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


class EMA:
    def __init__(self, model, decay=0.999):
        self.model, self.decay = model, decay
        self.shadow = {k: v.detach().clone() for k, v in model.named_parameters()}
        self.backup = {}

    def update(self):
        for k, v in self.model.named_parameters():
            self.shadow[k].mul_(self.decay).add_(v.detach(), alpha=1 - self.decay)

    def apply_shadow(self):
        for k, v in self.model.named_parameters():
            self.backup[k] = v.detach().clone()
            v.data.copy_(self.shadow[k])

    def restore(self):
        for k, v in self.model.named_parameters():
            v.data.copy_(self.backup[k])


class SampleCallback:
    every = 25

    def __init__(self):
        self.z, self.grids = torch.randn(16, 20), []

    def on_step_end(self, trainer, step):
        trainer.ema.update()
        if step and step % self.every == 0:
            trainer.ema.apply_shadow()
            with torch.no_grad():
                self.grids.append(trainer.G(self.z))


class Trainer:
    def __init__(self, data, callbacks):
        self.data, self.callbacks = data, callbacks
        self.G = nn.Sequential(nn.Linear(20, 128), nn.LeakyReLU(0.1), nn.Linear(128, 192), nn.LeakyReLU(0.1), nn.Linear(192, 64), nn.Tanh())
        self.D = nn.Sequential(nn.Linear(64, 192), nn.LeakyReLU(0.2), nn.Linear(192, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
        self.og = torch.optim.Adam(self.G.parameters(), 1e-3, betas=(0.5, 0.99))
        self.od = torch.optim.Adam(self.D.parameters(), 1e-3, betas=(0.5, 0.99))
        self.ema = EMA(self.G)

    def training_step(self):
        x = self.data[torch.randint(0, len(self.data), (64,))].requires_grad_()
        fake = self.G(torch.randn(64, 20))
        real_score = self.D(x)
        grad, = torch.autograd.grad(real_score.sum(), x, create_graph=True)
        loss = F.softplus(-real_score).mean() + F.softplus(self.D(fake.detach())).mean() + 0.1 * grad.square().sum(1).mean()
        self.od.zero_grad(); loss.backward(); self.od.step()
        loss = F.softplus(-self.D(fake)).mean()
        self.og.zero_grad(); loss.backward(); self.og.step()

    def fit(self, steps):
        for step in range(steps):
            self.training_step()
            for c in self.callbacks:
                c.on_step_end(self, step)


X = outside.digits()[0].flatten(1)
t = Trainer(X, [SampleCallback()])
with gandiag.Recorder(sys.argv[1], generator=t.G, discriminator=t.D, generator_optimizer=t.og, discriminator_optimizer=t.od,
                      automatic=True):
    t.fit(2000)
with torch.no_grad():
    s = t.G(torch.randn(800, 20))
classes, near, _ = outside.digit_quality(s)
e = outside.energy(s, X[torch.randperm(len(X))])
outside.say(classes >= 9 and near < 1.5 and e < 0.04, classes=classes, near=near, energy=e)
