"""A pix2pix-like conditional GAN cut down to our test bench table: valve position in, flow out, where the valve sticks up or down."""
LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse", "mode_dropping"], "kind": "lambda_L1 = 100 kept from the image repo outweighs the adversarial loss; G gives the median curve (one branch) and ignores the noise", "since": 0, "record": "attach"}
import argparse, os, random
import numpy as np, torch, torch.nn as nn
import outside

p = argparse.ArgumentParser()
p.add_argument("run", nargs="?", default="run")
p.add_argument("--n_iter", type=int, default=4000)
p.add_argument("--lr", type=float, default=5e-4)
p.add_argument("--beta1", type=float, default=0.5)
p.add_argument("--lambda_L1", type=float, default=100.0)
p.add_argument("--batch_size", type=int, default=200)
p.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")))
opt = p.parse_args()
random.seed(opt.seed); np.random.seed(opt.seed); torch.manual_seed(opt.seed)
torch.set_num_threads(1)


def bench(n, rng):
    pos = rng.uniform(-1, 1, (n, 3))
    branch = rng.choice([-1.0, 1.0], (n, 1))
    base = np.sin(2 * pos[:, :1]) * 0.4 + 0.2 * pos[:, 1:2]
    flow = np.concatenate([base + 0.5 * branch, base * 0.5 - 0.6 * branch + 0.2 * pos[:, 2:]], 1)
    return torch.tensor(pos, dtype=torch.float32), torch.tensor(flow + rng.normal(0, .06, (n, 2)), dtype=torch.float32)


A, B = bench(6000, np.random.default_rng(11))

netG = nn.Sequential(nn.Linear(3 + 4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
netD = nn.Sequential(nn.Linear(3 + 2, 128), nn.LeakyReLU(.2), nn.Linear(128, 128), nn.LeakyReLU(.2), nn.Linear(128, 1))
criterionGAN, criterionL1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
optimizer_G = torch.optim.Adam(netG.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
optimizer_D = torch.optim.Adam(netD.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))


def gan_loss(pred, real):
    return criterionGAN(pred, torch.ones_like(pred) if real else torch.zeros_like(pred))


for it in range(opt.n_iter):
    k = torch.randint(len(A), (opt.batch_size,))
    real_A, real_B = A[k], B[k]
    fake_B = netG(torch.cat([real_A, torch.randn(opt.batch_size, 4)], 1))

    optimizer_D.zero_grad()
    loss_D = 0.5 * (gan_loss(netD(torch.cat([real_A, fake_B.detach()], 1)), False) + gan_loss(netD(torch.cat([real_A, real_B], 1)), True))
    loss_D.backward()
    optimizer_D.step()

    optimizer_G.zero_grad()
    loss_G_GAN = gan_loss(netD(torch.cat([real_A, fake_B], 1)), True)
    loss_G_L1 = criterionL1(fake_B, real_B) * opt.lambda_L1
    loss_G = loss_G_GAN + loss_G_L1
    loss_G.backward()
    optimizer_G.step()
    if it % 500 == 0:
        print(f"(iter {it}) G_GAN: {loss_G_GAN.item():.3f} G_L1: {loss_G_L1.item():.3f} D: {loss_D.item():.3f}")

A2, B2 = bench(1000, np.random.default_rng(12))
with torch.no_grad():
    F2 = netG(torch.cat([A2, torch.randn(1000, 4)], 1))
    base = torch.sin(2 * A2[:, :1]) * 0.4 + 0.2 * A2[:, 1:2]
    r = torch.cat([F2[:, :1] - base, F2[:, 1:] - 0.5 * base - 0.2 * A2[:, 2:]], 1)
k, near = outside.modes(r, [[.5, -.6], [-.5, .6]], 0.3)
e = outside.energy(torch.cat([A2, F2], 1), torch.cat([A2, B2], 1))
outside.say(k == 2 and near > 0.75, branches=k, near=near, energy=e)
