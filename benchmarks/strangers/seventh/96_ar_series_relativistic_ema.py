"""Relativistic average GAN with R1 on AR(2) series; samples are drawn from the EMA weights."""
import copy, os, random, sys
import numpy as np
import torch
import torch.nn as nn
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "relativistic average loss with lazy R1, causal conv nets; samples are drawn from the EMA weights", "since": None, "record": "lines"}

SEED = int(os.environ.get("SEED", "0"))
T = 24


def ar2(n):
    x = np.zeros((n, T + 20))
    e = np.random.randn(n, T + 20) * 0.35
    for t in range(2, T + 20):
        x[:, t] = 1.5 * x[:, t - 1] - 0.8 * x[:, t - 2] + e[:, t]
    return torch.tensor(x[:, None, 20:] / 1.2, dtype=torch.float32)


class Causal(nn.Conv1d):
    def __init__(self, i, o, dilation):
        super().__init__(i, o, 3, dilation=dilation)
        self.left = 2 * dilation

    def forward(self, x):
        return super().forward(nn.functional.pad(x, (self.left, 0)))


class TCNGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Causal(3, 24, 1), Causal(24, 24, 2), Causal(24, 24, 4), Causal(24, 24, 8)])
        self.out = nn.Conv1d(24, 1, 1)

    def forward(self, z):
        h = torch.tanh(self.layers[0](z))
        for l in self.layers[1:]:
            h = h + nn.functional.leaky_relu(l(h), 0.1)
        return self.out(h)[:, :, 16:]


class TCNCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(1, 24, 5), nn.LeakyReLU(0.2), nn.Conv1d(24, 32, 5, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(32 * 8, 1))

    def forward(self, x):
        return self.net(x)[:, 0]


def main():
    random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
    torch.set_num_threads(1)
    G, D = TCNGenerator(), TCNCritic()
    shadow = copy.deepcopy(G)
    g_opt = torch.optim.Adam(G.parameters(), lr=8e-4, betas=(0.5, 0.99))
    d_opt = torch.optim.Adam(D.parameters(), lr=8e-4, betas=(0.5, 0.99))
    sp = nn.functional.softplus
    z = lambda n: torch.randn(n, 3, T + 16)
    rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_opt, discriminator_optimizer=d_opt)
    for i in range(900):
        real = ar2(64)
        fake = G(z(64))
        r, f = D(real), D(fake.detach())
        d_loss = (sp(-(r - f.mean())).mean() + sp(f - r.mean()).mean()) / 2
        total = d_loss
        if i % 4 == 0:
            x = real.clone().requires_grad_(True)
            g, = torch.autograd.grad(D(x).sum(), x, create_graph=True)
            total = total + 4 * 0.05 * g.square().sum((1, 2)).mean()
        d_opt.zero_grad(); total.backward(); d_opt.step()

        r, f = D(real).detach(), D(fake)
        g_loss = (sp(-(f - r.mean())).mean() + sp(r - f.mean()).mean()) / 2
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        with torch.no_grad():
            for a, b in zip(shadow.parameters(), G.parameters()):
                a.lerp_(b, 0.02)
        rec.step(d_loss=d_loss, g_loss=g_loss, real=real, fake=fake)
    rec.close()
    with torch.no_grad():
        s = shadow(z(1000))[:, 0].numpy()
    ref = ar2(1000)[:, 0].numpy()
    acf = lambda a: np.array([np.mean(a[:, k:] * a[:, :-k]) / np.mean(a * a) for k in (1, 2, 3, 4)])
    gap = float(np.abs(acf(s) - acf(ref)).max())
    e = outside.energy(s, ref)
    outside.say(e < 0.03 and gap < 0.2, energy=e, acf_gap=gap)


if __name__ == "__main__":
    main()
