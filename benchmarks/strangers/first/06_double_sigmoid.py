"""Digits with a conv discriminator that ends in a sigmoid and BCEWithLogitsLoss on top of it."""
import os, torch, torch.nn as nn, torch.nn.functional as F
import outside
LABEL = {"sick": True, "causes": ["objective_fault"], "kind": "double sigmoid", "since": 0, "record": "attach"}
SEED = int(os.environ.get("SEED", "0")); torch.manual_seed(SEED); torch.set_num_threads(1)
x, _ = outside.digits()
class Generator(nn.Module):
    def __init__(self):
        super().__init__(); self.fc = nn.Linear(20, 256); self.c = nn.Conv2d(16, 32, 3, padding=1); self.o = nn.Conv2d(32, 1, 3, padding=1)
    def forward(self, z):
        h = F.relu(self.fc(z)).view(-1, 16, 4, 4); h = F.interpolate(h, scale_factor=2)
        return torch.tanh(self.o(F.relu(self.c(h))))
class Discriminator(nn.Module):
    def __init__(self):
        super().__init__(); self.a = nn.Conv2d(1, 16, 3, 2, 1); self.b = nn.Conv2d(16, 32, 3, 2, 1); self.o = nn.Linear(128, 1)
    def forward(self, x):
        h = F.leaky_relu(self.b(F.leaky_relu(self.a(x), 0.2)), 0.2)
        return torch.sigmoid(self.o(h.flatten(1)))
generator, discriminator = Generator(), Discriminator()
optim_g = torch.optim.Adam(generator.parameters(), lr=2e-4); optim_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4)
criterion = nn.BCEWithLogitsLoss()
def main(iters=800, bs=64):
    for i in range(iters):
        real = x[torch.randint(len(x), (bs,))]
        fake = generator(torch.randn(bs, 20))
        optim_d.zero_grad()
        loss_d = criterion(discriminator(real), torch.ones(bs, 1)) + criterion(discriminator(fake.detach()), torch.zeros(bs, 1))
        loss_d.backward(); optim_d.step()
        optim_g.zero_grad()
        loss_g = criterion(discriminator(fake), torch.ones(bs, 1))
        loss_g.backward(); optim_g.step()
main()
with torch.no_grad(): f = generator(torch.randn(600, 20))
c, nn_, _ = outside.digit_quality(f); e = outside.energy(f, x[torch.randperm(len(x))])
outside.say(c >= 8 and nn_ < 1.7 and e < 0.1, classes=c, nn=nn_, energy=e)
