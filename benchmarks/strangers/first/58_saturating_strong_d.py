"""Digits by the minimax loss log(1 - D) with D trained six times a step: G gets no gradient."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["vanishing_generator_gradient", "discriminator_dominance", "objective_fault"], "kind": "saturating loss against a far stronger D", "since": 0, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
class Model(nn.Module):
    def __init__(self): super().__init__(); self.gen = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))); self.dis = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 1))
m = Model(); og, od = torch.optim.SGD(m.gen.parameters(), 0.02), torch.optim.Adam(m.dis.parameters(), 1e-3); ls = nn.functional.logsigmoid
with gandiag.Recorder(sys.argv[1], generator=m.gen, discriminator=m.dis, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for s in range(350):
        for _ in range(6):
            r = x[torch.randint(len(x), (64,))]; f = m.gen(torch.randn(64, 16)).detach(); od.zero_grad(); (-ls(m.dis(r)).mean() - ls(-m.dis(f)).mean()).backward(); od.step()
        og.zero_grad(); ls(-m.dis(m.gen(torch.randn(64, 16)))).mean().backward(); og.step()
with torch.no_grad(): f = m.gen(torch.randn(600, 16))
c, n, _ = outside.digit_quality(f); outside.say(c >= 8 and n < 1.8, classes=c, nn=n, energy=outside.energy(f, x[torch.randperm(len(x))]))
