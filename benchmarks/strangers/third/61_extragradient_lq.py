"""A bilinear mean-matching game by an extragradient optimizer written by hand."""
LABEL = {"sick": False, "causes": [], "kind": "sound: extragradient makes the bilinear game converge", "since": None, "record": "automatic"}
import json, os, sys
import torch
from torch import nn
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))


class ExtraSGD(torch.optim.Optimizer):
    """step(): look ahead on the first call, come back and move on the second"""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if "anchor" in state:
                    p.copy_(state.pop("anchor"))
                else:
                    state["anchor"] = p.clone()
                p.add_(p.grad, alpha=-group["lr"])


class Shifted(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.m = nn.Parameter(torch.zeros(dim))

    def forward(self, z):
        return self.m + 0.5 * z


target = torch.tensor([1.0, -2.0, 0.5, 1.5])
gen, critic = Shifted(4), nn.Linear(4, 1, bias=False)
g_opt, c_opt = ExtraSGD(gen.parameters(), 0.2), ExtraSGD(critic.parameters(), 0.2)
recorder = gandiag.Recorder(sys.argv[1], generator=gen, discriminator=critic, generator_optimizer=g_opt, discriminator_optimizer=c_opt, automatic=True)
for k in range(400):
    for half in range(2):
        x = target + 0.5 * torch.randn(256, 4)
        fake = gen(torch.randn(256, 4))
        c_opt.zero_grad()
        (critic(fake.detach()).mean() - critic(x).mean() + 0.05 * critic.weight.square().sum()).backward()
        g_opt.zero_grad()
        g_grad = torch.autograd.grad(-critic(fake).mean(), list(gen.parameters()))
        for p, g in zip(gen.parameters(), g_grad):
            p.grad = g
        c_opt.step()
        g_opt.step()
recorder.close()
err = float((gen.m.detach() - target).norm())
print(json.dumps({"outcome": {"distance_to_mean": err, "at_start": float(target.norm())}, "well": err < 0.3}))
