"""Weight-clipped WGAN on small wind fields (u and v on 8x8), organised like a Lightning module."""
import os, sys
import torch
from torch import nn
import gandiag, outside

LABEL = {"sick": True, "causes": ["objective_fault", "mode_collapse", "vanishing_generator_gradient"], "since": 0, "record": "automatic",
         "kind": "the weights of the whole module are clipped, the generator's with the critic's: it can say nearly nothing"}
SEED = int(os.environ.get("SEED", "0"))
torch.manual_seed(SEED)
torch.set_num_threads(1)


def wind(n):
    y, x = torch.meshgrid(torch.linspace(-1, 1, 8), torch.linspace(-1, 1, 8), indexing="ij")
    c = (torch.rand(n, 2, 1, 1) - 0.5)
    spin = torch.where(torch.rand(n, 1, 1) < 0.5, -1.0, 1.0)
    dx, dy = x - c[:, 0], y - c[:, 1]
    decay = torch.exp(-(dx ** 2 + dy ** 2)) * 1.6
    return torch.stack([-dy * decay * spin, dx * decay * spin], 1)


class WGANModule(nn.Module):
    def __init__(self, nz=12, clip=0.03, lr=3e-4, n_critic=4):
        super().__init__()
        self.nz, self.clip, self.n_critic = nz, clip, n_critic
        self.generator = nn.Sequential(nn.Linear(nz, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128),
                                       nn.Unflatten(1, (2, 8, 8)))
        self.critic = nn.Sequential(nn.Conv2d(2, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2),
                                    nn.Flatten(), nn.Linear(192, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
        self.lr = lr

    def configure_optimizers(self):
        return (torch.optim.RMSprop(self.generator.parameters(), self.lr), torch.optim.RMSprop(self.critic.parameters(), self.lr))

    def latents(self, n):
        return torch.randn(n, self.nz)

    def critic_loss(self, x):
        return self.critic(self.generator(self.latents(len(x))).detach()).mean() - self.critic(x).mean()

    def generator_loss(self, n):
        return -self.critic(self.generator(self.latents(n))).mean()

    def on_train_batch_end(self):
        with torch.no_grad():
            for p in self.parameters():
                p.clamp_(-self.clip, self.clip)


class Trainer:
    def __init__(self, max_steps):
        self.max_steps = max_steps

    def fit(self, module, g_opt, d_opt):
        for step in range(self.max_steps):
            for _ in range(module.n_critic):
                d_opt.zero_grad()
                module.critic_loss(wind(32)).backward()
                d_opt.step()
                module.on_train_batch_end()
            g_opt.zero_grad()
            module.generator_loss(32).backward()
            g_opt.step()


module = WGANModule()
g_opt, d_opt = module.configure_optimizers()
with gandiag.Recorder(sys.argv[1], generator=module.generator, discriminator=module.critic, generator_optimizer=g_opt,
                      discriminator_optimizer=d_opt, automatic=True):
    Trainer(700).fit(module, g_opt, d_opt)
with torch.no_grad():
    s = module.generator(module.latents(1000))
r = wind(1000)
e = outside.energy(s, r)
spread = float(s.std(0).mean() / r.std(0).mean())
outside.say(e < 0.05 and spread > 0.7, energy=e, spread=spread)
