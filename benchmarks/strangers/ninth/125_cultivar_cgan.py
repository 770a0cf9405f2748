"""config-driven conditional GAN: chemical profiles of wines given the cultivar"""
import os, sys, random
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier
import gandiag
import outside

LABEL = {"sick": True, "causes": ["objective_fault", "data_mismatch"],
         "kind": "conditional GAN whose discriminator never sees the class: the condition is ignored", "since": 0, "record": "automatic"}

CONFIG = {
    "n_features": 13, "n_classes": 3, "noise": 16,
    "g_hidden": [64, 64], "d_hidden": [64, 32],
    "optimizer": {"name": "adam", "lr": 1e-3, "betas": (0.5, 0.99)},
    "loss": "hinge", "batch": 48, "steps": 2000, "feature_noise": 0.1,
}


def seed_everything(s):
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)
    torch.set_num_threads(1)


def mlp(sizes, act):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def build_generator(cfg):
    return mlp([cfg["noise"] + cfg["n_classes"], *cfg["g_hidden"], cfg["n_features"]], nn.ELU)


def build_discriminator(cfg):
    return mlp([cfg["n_features"], *cfg["d_hidden"], 1], lambda: nn.LeakyReLU(0.2))


def build_optimizer(params, o):
    return {"adam": torch.optim.Adam}[o["name"]](params, lr=o["lr"], betas=o["betas"])


LOSSES = {"hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda f: -f.mean())}


def onehot(y):
    return F.one_hot(y, CONFIG["n_classes"]).float()


def train(cfg, X, Y, logdir):
    G, D = build_generator(cfg), build_discriminator(cfg)
    og, od = build_optimizer(G.parameters(), cfg["optimizer"]), build_optimizer(D.parameters(), cfg["optimizer"])
    d_crit, g_crit = LOSSES[cfg["loss"]]
    with gandiag.Recorder(logdir, generator=G, discriminator=D, generator_optimizer=og,
                          discriminator_optimizer=od, automatic=True):
        for step in range(cfg["steps"]):
            i = torch.randint(0, len(X), (cfg["batch"],))
            x, y = X[i] + cfg["feature_noise"] * torch.randn(cfg["batch"], cfg["n_features"]), Y[i]
            x_fake = G(torch.cat([torch.randn(cfg["batch"], cfg["noise"]), onehot(y)], 1))

            real_score = D(x)
            fake_score = D(x_fake.detach())
            loss_d = d_crit(real_score, fake_score)
            od.zero_grad(set_to_none=True)
            loss_d.backward()
            od.step()

            gen_score = D(x_fake)
            loss_g = g_crit(gen_score)
            og.zero_grad(set_to_none=True)
            loss_g.backward()
            og.step()
    return G


def evaluate(cfg, G, X, Y):
    knn = KNeighborsClassifier(5).fit(X.numpy(), Y.numpy())
    y = torch.arange(cfg["n_classes"]).repeat_interleave(200)
    with torch.no_grad():
        x = G(torch.cat([torch.randn(len(y), cfg["noise"]), onehot(y)], 1))
    return float((knn.predict(x.numpy()) == y.numpy()).mean()), outside.energy(x[torch.randperm(600)], X)


if __name__ == "__main__":
    seed_everything(int(os.environ.get("SEED", "0")))
    data = load_wine()
    X = torch.tensor((data.data - data.data.mean(0)) / data.data.std(0), dtype=torch.float32)
    Y = torch.tensor(data.target)
    G = train(CONFIG, X, Y, sys.argv[1])
    right, e = evaluate(CONFIG, G, X, Y)
    outside.say(right > 0.7 and e < 0.2, condition_right=right, energy=e)
