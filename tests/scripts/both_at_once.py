"""A judge of sounds that takes the true one and the made one as two arguments, and returns lists of verdicts and features on both."""

import sys

import torch
from torch import nn

torch.manual_seed(7)


class Pairwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.scales = nn.ModuleList([nn.Conv1d(1, 4, 5, stride=s, padding=2) for s in (1, 2)])
        self.verdicts = nn.ModuleList([nn.Conv1d(4, 1, 3, padding=1) for _ in (1, 2)])

    def forward(self, true, made):
        features = [[scale(x).relu() for scale in self.scales] for x in (true, made)]
        verdicts = [[v(f).flatten(1) for v, f in zip(self.verdicts, of_one)] for of_one in features]
        return verdicts[0], verdicts[1], features[0], features[1]


maker = nn.Sequential(nn.Conv1d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv1d(8, 1, 3, padding=1), nn.Tanh())
judge = Pairwise()
of_maker, of_judge = torch.optim.AdamW(maker.parameters(), 1e-3), torch.optim.AdamW(judge.parameters(), 1e-3)
for step in range(12):
    true = torch.sin(torch.rand(8, 1, 1) + 0.3 * torch.arange(32.0))
    made = maker(torch.randn(8, 3, 32))
    of_judge.zero_grad()
    on_true, on_made, _, _ = judge(true, made.detach())
    loss = sum((1 - t).square().mean() + m.square().mean() for t, m in zip(on_true, on_made))
    loss.backward()
    of_judge.step()
    of_maker.zero_grad()
    _, on_made, like, unlike = judge(true, made)
    alike = sum((a - b).abs().mean() for a, b in zip(like, unlike))
    (sum((1 - m).square().mean() for m in on_made) + alike).backward()
    of_maker.step()
    print(f"{step} {loss.item():.4f} {alike.item():.4f}")

torch.save({"maker": maker.state_dict(), "judge": judge.state_dict()}, sys.argv[1])
