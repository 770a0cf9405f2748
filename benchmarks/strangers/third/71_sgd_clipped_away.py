"""A two-bell density by SGD with gradient clipping, settings copied from a language model."""
LABEL = {"sick": True, "causes": ["learning_rate", "stagnation", "discriminator_weakness"], "kind": "clip_grad_norm at 0.01 times SGD at 0.01: nobody moves", "since": 0, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
config = {"lr": 0.01, "clip": 0.01, "batch": 64, "steps": 550}


def loader():
    for _ in range(config["steps"]):
        n = config["batch"]
        side = torch.randint(2, (n, 1)) * 2.0 - 1
        yield 1.5 * side + 0.3 * torch.randn(n, 1)


gen = nn.Sequential(nn.Linear(4, 32), nn.GELU(), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 1))
disc = nn.Sequential(nn.Linear(1, 32), nn.GELU(), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 1))
og, od = (torch.optim.SGD(m.parameters(), lr=config["lr"]) for m in (gen, disc))
ones, zeros = torch.ones(config["batch"], 1), torch.zeros(config["batch"], 1)
loss = nn.BCEWithLogitsLoss()
with gandiag.Recorder(sys.argv[1], generator=gen, discriminator=disc, generator_optimizer=og, discriminator_optimizer=od, automatic=True):
    for x in loader():
        od.zero_grad()
        (loss(disc(x), ones) + loss(disc(gen(torch.randn(len(x), 4)).detach()), zeros)).backward()
        clip_grad_norm_(disc.parameters(), config["clip"])
        od.step()
        og.zero_grad()
        loss(disc(gen(torch.randn(len(x), 4))), ones).backward()
        clip_grad_norm_(gen.parameters(), config["clip"])
        og.step()
with torch.no_grad():
    fake = gen(torch.randn(3000, 4))[:, 0].sort().values
real = (1.5 * (torch.randint(2, (3000,)) * 2.0 - 1) + 0.3 * torch.randn(3000)).sort().values
w1 = float((fake - real).abs().mean())
print(json.dumps({"outcome": {"w1": w1, "sd_fake": float(fake.std()), "sd_real": float(real.std())}, "well": w1 < 0.3}))
