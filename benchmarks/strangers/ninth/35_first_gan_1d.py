"""First gan 1d."""
# Generative Adversarial Networks in 50 lines: a skewed 1-D mixture from uniform noise, plain SGD with momentum
import os, sys, random
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import gandiag, outside

LABEL = {"sick": False, "causes": [], "kind": "1-D toy with SGD+momentum and a sigmoid D, 2 steps each; losses sit at log 2 (D at one half)",
         "since": None, "record": "automatic"}

SEED = int(os.environ.get("SEED", "0"))
random.seed(SEED); np.random.seed(SEED); torch.manual_seed(SEED); torch.set_num_threads(1)


def get_distribution_sampler():
    def f(n):
        left = np.random.randn(n) * 0.4 - 1.2
        right = np.random.randn(n) * 0.7 + 1.3
        return torch.Tensor(np.where(np.random.rand(n) < 0.4, left, right)).view(n, 1)
    return f


def get_generator_input_sampler():
    return lambda m, n: torch.rand(m, n) * 2 - 1


class Generator(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(Generator, self).__init__()
        self.map1 = nn.Linear(input_size, hidden_size)
        self.map2 = nn.Linear(hidden_size, hidden_size)
        self.map3 = nn.Linear(hidden_size, output_size)
        self.f = torch.tanh

    def forward(self, x):
        x = self.f(self.map1(x))
        x = self.f(self.map2(x))
        return self.map3(x)


class Discriminator(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(Discriminator, self).__init__()
        self.map1 = nn.Linear(input_size, hidden_size)
        self.map2 = nn.Linear(hidden_size, hidden_size)
        self.map3 = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        x = torch.relu(self.map1(x))
        x = torch.relu(self.map2(x))
        return torch.sigmoid(self.map3(x))


g_input_size, g_hidden_size = 2, 40
d_hidden_size = 40
minibatch_size = 128
num_epochs = 900
d_steps, g_steps = 2, 1
sgd_momentum = 0.5
d_sampler = get_distribution_sampler()
gi_sampler = get_generator_input_sampler()
G = Generator(g_input_size, g_hidden_size, 1)
D = Discriminator(1, d_hidden_size, 1)
criterion = nn.BCELoss()
d_optimizer = optim.SGD(D.parameters(), lr=0.1, momentum=sgd_momentum)
g_optimizer = optim.SGD(G.parameters(), lr=0.05, momentum=sgd_momentum)
rec = gandiag.Recorder(sys.argv[1], generator=G, discriminator=D, generator_optimizer=g_optimizer,
                       discriminator_optimizer=d_optimizer, automatic=True, discriminator_output="probability")

for epoch in range(num_epochs):
    for d_index in range(d_steps):
        D.zero_grad()
        d_real_error = criterion(D(d_sampler(minibatch_size)), torch.ones(minibatch_size, 1))
        d_real_error.backward()
        d_fake_data = G(gi_sampler(minibatch_size, g_input_size)).detach()
        d_fake_error = criterion(D(d_fake_data), torch.zeros(minibatch_size, 1))
        d_fake_error.backward()
        d_optimizer.step()
    for g_index in range(g_steps):
        G.zero_grad()
        g_error = criterion(D(G(gi_sampler(minibatch_size, g_input_size))), torch.ones(minibatch_size, 1))
        g_error.backward()
        g_optimizer.step()
    if epoch % 300 == 0:
        print("Epoch %s: D (%.3f real, %.3f fake) G (%.3f)" % (epoch, d_real_error.item(), d_fake_error.item(), g_error.item()))
rec.close()

with torch.no_grad():
    s = G(gi_sampler(2000, g_input_size))
e = outside.energy(s, d_sampler(2000))
outside.say(e < 0.05, energy=e, mean=s.mean().item(), std=s.std().item())
