"""A GAN: checker scheduler."""
import os, sys, random
import numpy as np
import torch
import gandiag
import outside

LABEL = {"sick": True, "causes": ["learning_rate", "stagnation"], "kind": "ExponentialLR(0.95) meant per epoch is stepped every iteration: after 150 steps nothing moves", "since": 100, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))


def seed_all(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)


class Checkerboard(torch.utils.data.Dataset):
    """Points on the dark squares of a 4x4 board, in [-2, 2]^2."""

    def __init__(self, n=8000):
        x = np.random.rand(n) * 4 - 2
        y = np.random.rand(n) - np.random.randint(0, 2, n) * 2 + np.floor(x) % 2
        self.points = torch.tensor(np.stack([x, y], 1), dtype=torch.float32)

    def __len__(self):
        return len(self.points)

    def __getitem__(self, i):
        return self.points[i]


class FourierMLP(torch.nn.Module):
    def __init__(self, i, o, w=64):
        super().__init__()
        self.register_buffer("f", torch.randn(i, 16) * 1.5)
        self.a = torch.nn.Linear(i + 32, w)
        self.b = torch.nn.Linear(w, w)
        self.c = torch.nn.Linear(w, o)

    def forward(self, x):
        p = x @ self.f
        h = torch.cat([x, p.sin(), p.cos()], -1)
        return self.c(torch.nn.functional.silu(self.b(torch.nn.functional.silu(self.a(h)))))


def main():
    seed_all(SEED)
    torch.set_num_threads(1)
    data = Checkerboard()
    loader = torch.utils.data.DataLoader(data, batch_size=128, shuffle=True, drop_last=True)
    generator, discriminator = FourierMLP(2, 2), FourierMLP(2, 1)
    optims = {"g": torch.optim.Adam(generator.parameters(), lr=3e-4, betas=(0.5, 0.99)),
              "d": torch.optim.Adam(discriminator.parameters(), lr=6e-4, betas=(0.5, 0.99))}
    scheds = {k: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.95) for k, o in optims.items()}
    rec = gandiag.Recorder(sys.argv[1], generator=generator, discriminator=discriminator,
                           generator_optimizer=optims["g"], discriminator_optimizer=optims["d"], automatic=True)
    for epoch in range(25):
        for real in loader:
            z = torch.rand(len(real), 2) * 2 - 1
            fake = generator(z)
            # relativistic pairing
            optims["d"].zero_grad()
            d_loss = torch.nn.functional.softplus(discriminator(fake.detach()) - discriminator(real)).mean()
            d_loss.backward()
            optims["d"].step()
            optims["g"].zero_grad()
            g_loss = torch.nn.functional.softplus(discriminator(real).detach() - discriminator(fake)).mean()
            g_loss.backward()
            optims["g"].step()
            for s in scheds.values():
                s.step()
    rec.close()
    with torch.no_grad():
        out = generator(torch.rand(1000, 2) * 2 - 1)
    e = outside.energy(out, data.points[:1000])
    outside.say(e < 0.03, energy=e)


main()
