"""Conditional LSGAN for the three irises with batches of ten and targets -1/+1, a notebook that a botanist cleaned up."""
LABEL = {"sick": False, "causes": [], "kind": "healthy: batches of ten, 150 rows, noisy losses, unusual LSGAN targets, weight average for use", "since": None, "record": "attach"}
import os, random
import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from sklearn.datasets import load_iris
import outside

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED)
torch.set_num_threads(1)

# %% data
iris = load_iris()
X = torch.tensor((iris.data - iris.data.mean(0)) / iris.data.std(0), dtype=torch.float32)
Y = torch.nn.functional.one_hot(torch.tensor(iris.target), 3).float()

# %% nets
flower = nn.Sequential(nn.Linear(6 + 3, 96), nn.LeakyReLU(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.1), nn.Linear(96, 4))
judge = nn.Sequential(nn.Linear(4 + 3, 96), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(96, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1))
mean_flower = AveragedModel(flower, multi_avg_fn=get_ema_multi_avg_fn(0.998))
flower_opt = torch.optim.Adam(flower.parameters(), lr=2e-4, betas=(0.5, 0.99))
judge_opt = torch.optim.Adam(judge.parameters(), lr=4e-4, betas=(0.5, 0.99))

# %% training
step = 0
for epoch in range(260):
    for idx in torch.randperm(150).split(10):
        x, y = X[idx], Y[idx]
        z = torch.randn(len(idx), 6)
        made = flower(torch.cat([z, y], 1))
        noise = 0.1
        on_real = judge(torch.cat([x + noise * torch.randn_like(x), y], 1))
        on_made = judge(torch.cat([made.detach() + noise * torch.randn_like(x), y], 1))
        judge_loss = (on_real - 1).pow(2).mean() + (on_made + 1).pow(2).mean()
        judge_opt.zero_grad()
        judge_loss.backward()
        judge_opt.step()

        flower_loss = judge(torch.cat([made + noise * torch.randn_like(x), y], 1)).pow(2).mean()   # G aims at 0, the middle
        flower_opt.zero_grad()
        flower_loss.backward()
        flower_opt.step()
        mean_flower.update_parameters(flower)
        step += 1
    if epoch % 50 == 0:
        print(epoch, judge_loss.item(), flower_loss.item())

# %% look
mean_flower.eval()
es, raw = [], []
with torch.no_grad():
    for k in range(3):
        y = torch.zeros(400, 3); y[:, k] = 1
        z = torch.randn(400, 6)
        es.append(outside.energy(mean_flower(torch.cat([z, y], 1)), X[Y[:, k] == 1]))
        raw.append(outside.energy(flower(torch.cat([z, y], 1)), X[Y[:, k] == 1]))
outside.say(max(es) < 0.08 and max(raw) < 0.15, worst_class_energy=max(es), raw_worst=max(raw))
