"""Digits; the EMA (0.999) of G is copied back into G after every step, so G hardly moves."""
import os, sys, copy, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["stagnation", "objective_fault", "discriminator_dominance"], "kind": "EMA weights copied back into the live generator", "since": 0, "record": "automatic", "doubt": "it was not played without its fault"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
class EMA:
    def __init__(self, net, decay): self.decay = decay; self.shadow = copy.deepcopy(net.state_dict())
    @torch.no_grad()
    def update(self, net):
        for k, v in net.state_dict().items(): self.shadow[k].mul_(self.decay).add_(v, alpha=1 - self.decay)
    def apply(self, net): net.load_state_dict(self.shadow)
G = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
D = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))
og, od = torch.optim.Adam(G.parameters(), 5e-4, (0.5, 0.99)), torch.optim.Adam(D.parameters(), 5e-4, (0.5, 0.99)); ema = EMA(G, 0.999); sp = nn.functional.softplus
with gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for s in range(600):
        r = x[torch.randint(len(x), (64,))]; f = G(torch.randn(64, 16))
        od.zero_grad(); (sp(-D(r)).mean() + sp(D(f.detach())).mean()).backward(); od.step()
        og.zero_grad(); sp(-D(f)).mean().backward(); og.step(); ema.update(G); ema.apply(G)
with torch.no_grad(): f = G(torch.randn(600, 16))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8 and n < 1.7, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
