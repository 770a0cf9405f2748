"""Joint daily returns of five assets, least-squares GAN.  Everything is built from `cfg`."""
import os, sys, random
import numpy as np
import torch
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "stagnation"],
         "kind": "copy and paste: the generator's optimizer holds the discriminator's parameters, so G is never trained",
         "since": 0, "record": "lines"}

cfg = {
    "seed": int(os.environ.get("SEED", "0")),
    "z": 10, "assets": 5, "batch": 200, "steps": 2500,
    "gen": {"widths": [48, 48], "act": "silu"},
    "disc": {"widths": [64, 32], "act": "leaky"},
    "optim": {"name": "Adam", "lr": 1e-3, "betas": (0.5, 0.9)},
}
ACTS = {"silu": torch.nn.SiLU, "leaky": lambda: torch.nn.LeakyReLU(0.2)}


def make_mlp(n_in, n_out, spec):
    layers = []
    for w in spec["widths"]:
        layers += [torch.nn.Linear(n_in, w), ACTS[spec["act"]]()]
        n_in = w
    return torch.nn.Sequential(*layers, torch.nn.Linear(n_in, n_out))


def make_optimizer(net, spec):
    kwargs = {k: v for k, v in spec.items() if k != "name"}
    return getattr(torch.optim, spec["name"])(net.parameters(), **kwargs)


def market(n, seed):
    r = np.random.default_rng(seed)
    factor = r.standard_t(5, (n, 1))
    beta = np.array([[1.2, .9, .4, -.3, .7]])
    returns = factor * beta + .5 * r.standard_normal((n, 5)) + np.array([[.8, .5, .2, .1, -.6]])
    return torch.tensor(returns / 1.5, dtype=torch.float32)


class ReturnsGAN:
    def __init__(self, cfg):
        self.cfg = cfg
        self.gen = make_mlp(cfg["z"], cfg["assets"], cfg["gen"])
        self.disc = make_mlp(cfg["assets"], 1, cfg["disc"])
        self.optims = {
            "discriminator": make_optimizer(self.disc, cfg["optim"]),
            "generator": make_optimizer(self.disc, cfg["optim"]),
        }

    def z(self, n):
        return torch.randn(n, self.cfg["z"])

    def losses_d(self, x):
        return 0.5 * ((self.disc(x) - 1) ** 2).mean() + 0.5 * (self.disc(self.gen(self.z(len(x))).detach()) ** 2).mean()

    def losses_g(self, n):
        return 0.5 * ((self.disc(self.gen(self.z(n))) - 1) ** 2).mean()

    def update(self, who, loss):
        for o in self.optims.values():
            o.zero_grad()
        loss.backward()
        self.optims[who].step()


def main():
    random.seed(cfg["seed"]); np.random.seed(cfg["seed"]); torch.manual_seed(cfg["seed"])
    torch.set_num_threads(1)
    data = market(8000, 11)
    gan = ReturnsGAN(cfg)
    rec = gandiag.Recorder(sys.argv[1], generator=gan.gen, discriminator=gan.disc,
                           generator_optimizer=gan.optims["generator"], discriminator_optimizer=gan.optims["discriminator"])
    for _ in range(cfg["steps"]):
        x = data[torch.randint(len(data), (cfg["batch"],))]
        d_loss = gan.losses_d(x)
        gan.update("discriminator", d_loss)
        g_loss = gan.losses_g(cfg["batch"])
        gan.update("generator", g_loss)
        rec.step(d_loss=d_loss, g_loss=g_loss)
    rec.close()
    with torch.no_grad():
        e = outside.energy(gan.gen(gan.z(1000)), market(1000, 12))
    outside.say(e < 0.04, energy=e)


main()
