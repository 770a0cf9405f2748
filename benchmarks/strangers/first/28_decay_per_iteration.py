"""Digits; ExponentialLR(0.95) meant per epoch is stepped per iteration: the rates die within 200 steps."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation", "objective_fault"], "kind": "scheduler stepped per iteration, rates vanish", "since": 90, "record": "automatic", "doubt": "without its fault it is not well either"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
G = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og, od = torch.optim.AdamW(G.parameters(), 5e-4, (0.5, 0.999)), torch.optim.AdamW(D.parameters(), 5e-4, (0.5, 0.999))
sched = [torch.optim.lr_scheduler.ExponentialLR(o, 0.95) for o in (og, od)]; sp = nn.functional.softplus
def train(epochs):
    for e in range(epochs):
        for i in torch.randperm(len(x)).split(64):
            f = G(torch.randn(len(i), 16)); od.zero_grad(); (sp(-D(x[i])).mean() + sp(D(f.detach())).mean()).backward(); od.step()
            og.zero_grad(); sp(-D(f)).mean().backward(); og.step()
            for s in sched: s.step()
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True): train(27)
with torch.no_grad(): f = G(torch.randn(600, 16))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8 and n < 1.7, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
