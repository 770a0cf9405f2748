"""Digits; an invert augmentation with p=1 is switched on for the reals at step 400."""
import os, sys, torch, torch.nn as nn
import gandiag, outside
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "real images negated since step 400 (the evaluation and the user want them plain)", "since": 400, "record": "automatic"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
class GAN:
    def __init__(self):
        self.g = nn.Sequential(nn.Linear(16, 160), nn.ReLU(), nn.Linear(160, 160), nn.ReLU(), nn.Linear(160, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
        self.d = nn.Sequential(nn.Flatten(), nn.Linear(64, 160), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(160, 1))
        self.go = torch.optim.Adam(self.g.parameters(), 8e-4, (0.5, 0.99)); self.do = torch.optim.Adam(self.d.parameters(), 8e-4, (0.5, 0.99))
    def step(self, real):
        z = torch.randn(len(real), 16); s = nn.functional.softplus
        self.do.zero_grad(); (s(-self.d(real)) + s(self.d(self.g(z).detach()))).mean().backward(); self.do.step()
        self.go.zero_grad(); s(-self.d(self.g(z))).mean().backward(); self.go.step()
def loader(step):
    b = x[torch.randint(len(x), (64,))]
    return -b if step >= 400 else b
gan = GAN()
with gandiag.Recorder(sys.argv[1], generator=gan.g, discriminator=gan.d, generator_optimizer=gan.go, discriminator_optimizer=gan.do, automatic=True):
    for i in range(700): gan.step(loader(i))
with torch.no_grad(): f = gan.g(torch.randn(600, 16))
e = outside.energy(f, x[torch.randperm(len(x))]); outside.say(e < 0.1, energy=e)
