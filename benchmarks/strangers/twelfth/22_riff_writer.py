"""Eight-note guitar riffs over a pentatonic scale, as pitch contours; a little riff writer with plain SGD on the judge."""
LABEL = {"sick": True, "causes": ["objective_fault", "divergence", "numerical_failure"], "kind": "the judge's gradients are never zeroed (zero_grad is missing): they pile up", "since": 0, "record": "attach"}
import os, random
import numpy as np
import torch
import torch.nn as nn
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

scale = np.array([0, 3, 5, 7, 10, 12, 15])
def write_riffs(n):
    start = np.random.randint(0, 4, (n, 1))
    shape = np.array([[0, 1, 2, 1, 2, 3, 2, 0], [3, 2, 1, 0, 1, 2, 1, 0], [0, 0, 2, 2, 3, 3, 1, 0]])[np.random.randint(0, 3, n)]
    notes = scale[np.clip(start + shape, 0, 6)]
    return torch.tensor((notes - 7) / 5 + 0.05 * np.random.randn(n, 8), dtype=torch.float32)

riffs = write_riffs(3000)
writer = nn.Sequential(nn.Linear(10, 144), nn.ReLU(), nn.Linear(144, 144), nn.ReLU(), nn.Linear(144, 8))
judge = nn.Sequential(nn.Linear(8, 144), nn.LeakyReLU(0.2), nn.Linear(144, 144), nn.LeakyReLU(0.2), nn.Linear(144, 1))
writer_optim = torch.optim.Adam(writer.parameters(), lr=5e-4, betas=(0.5, 0.9))
judge_optim = torch.optim.SGD(judge.parameters(), lr=0.05)
loss_fn = nn.BCEWithLogitsLoss()

for i in range(4000):
    real = riffs[torch.randint(len(riffs), (96,))]
    fake = writer(torch.randn(96, 10))
    judge_loss = loss_fn(judge(real), torch.ones(96, 1)) + loss_fn(judge(fake.detach()), torch.zeros(96, 1))
    judge_loss.backward()
    judge_optim.step()

    writer_optim.zero_grad()
    writer_loss = loss_fn(judge(fake), torch.ones(96, 1))
    writer_loss.backward()
    writer_optim.step()

with torch.no_grad():
    e = outside.energy(writer(torch.randn(1000, 10)), write_riffs(1000))
outside.say(e < 0.04, energy=e)
