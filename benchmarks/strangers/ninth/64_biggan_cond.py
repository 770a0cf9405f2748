#!/usr/bin/env python
''' train_fns / BigGAN-PyTorch, cut down to 8x8 digits: shared class embedding, hierarchical z, conditional BN, projection D. '''
import os, random, functools
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
import torch.nn.utils.spectral_norm as SN
import outside

LABEL = {"sick": True, "causes": ["data_mismatch"],
         "kind": "each epoch the images are permuted but their labels are not: D sees real pairs with random labels, the condition comes to mean nothing",
         "since": 0, "record": "attach"}

config = {'seed': int(os.environ.get('SEED', '0')), 'batch_size': 48, 'num_epochs': 18, 'G_lr': 6e-4, 'D_lr': 1.2e-3, 'dim_z': 24, 'shared_dim': 12, 'ch': 24, 'n_classes': 10}
torch.set_num_threads(1)
random.seed(config['seed']); np.random.seed(config['seed']); torch.manual_seed(config['seed'])

class ccbn(nn.Module):
    def __init__(self, n, cond):
        super().__init__()
        self.bn = nn.BatchNorm2d(n, affine=False)
        self.gain, self.bias = nn.Linear(cond, n, bias=False), nn.Linear(cond, n, bias=False)
    def forward(self, x, y):
        return self.bn(x) * (1 + self.gain(y)[..., None, None]) + self.bias(y)[..., None, None]

class Generator(nn.Module):
    def __init__(self, dim_z=24, shared_dim=12, ch=24, n_classes=10, **kw):
        super().__init__()
        self.shared = nn.Embedding(n_classes, shared_dim)
        self.chunk = dim_z // 3
        cond = shared_dim + self.chunk
        self.linear = nn.Linear(self.chunk + shared_dim, ch * 2 * 4)
        self.bn1, self.c1 = ccbn(ch * 2, cond), nn.Conv2d(ch * 2, ch, 3, padding=1)
        self.bn2, self.c2 = ccbn(ch, cond), nn.Conv2d(ch, ch, 3, padding=1)
        self.out = nn.Sequential(nn.BatchNorm2d(ch), nn.ReLU(), nn.Conv2d(ch, 1, 3, padding=1))
    def forward(self, z, y):
        y = self.shared(y)
        zs = z.split(self.chunk, 1)
        h = self.linear(torch.cat([zs[0], y], 1)).view(len(z), -1, 2, 2)
        h = self.c1(F.interpolate(F.relu(self.bn1(h, torch.cat([y, zs[1]], 1))), scale_factor=2))
        h = self.c2(F.interpolate(F.relu(self.bn2(h, torch.cat([y, zs[2]], 1))), scale_factor=2))
        return torch.tanh(self.out(h))

class Discriminator(nn.Module):
    def __init__(self, ch=24, n_classes=10, **kw):
        super().__init__()
        self.blocks = nn.Sequential(SN(nn.Conv2d(1, ch, 3, 1, 1)), nn.ReLU(), SN(nn.Conv2d(ch, 2 * ch, 4, 2, 1)), nn.ReLU(),
                                    SN(nn.Conv2d(2 * ch, 2 * ch, 3, 1, 1)), nn.ReLU())
        self.linear, self.embed = SN(nn.Linear(2 * ch, 1)), SN(nn.Embedding(n_classes, 2 * ch))
    def forward(self, x, y):
        h = self.blocks(x).sum([2, 3])
        return self.linear(h) + (self.embed(y) * h).sum(1, keepdim=True)

def get_loader(bs):
    x, y = outside.digits()
    while True:
        perm = torch.randperm(len(x))
        x = x[perm]
        for i in range(0, len(x) - bs + 1, bs):
            yield x[i:i + bs], y[i:i + bs]

def GAN_training_function(G, D, gopt, dopt, cfg):
    bs = cfg['batch_size']
    def train(x, y):
        dopt.zero_grad()
        z, gy = torch.randn(bs, cfg['dim_z']), torch.randint(cfg['n_classes'], (bs,))
        with torch.no_grad():
            gz = G(z, gy)
        out = D(torch.cat([gz, x]), torch.cat([gy, y]))
        fake, real = out.split(bs)
        d = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        d.backward(); dopt.step()
        gopt.zero_grad()
        z, gy = torch.randn(bs, cfg['dim_z']), torch.randint(cfg['n_classes'], (bs,))
        g = -D(G(z, gy), gy).mean()
        g.backward(); gopt.step()
        return {'G_loss': g.item(), 'D_loss': d.item()}
    return train

def run(config):
    G, D = Generator(**config), Discriminator(**config)
    for m in list(G.modules()) + list(D.modules()):
        if isinstance(m, (nn.Conv2d, nn.Linear)) and not hasattr(m, 'weight_orig'):
            nn.init.orthogonal_(m.weight)
    adam = functools.partial(torch.optim.Adam, betas=(0., .999), eps=1e-6)
    train = GAN_training_function(G, D, adam(G.parameters(), lr=config['G_lr']), adam(D.parameters(), lr=config['D_lr']), config)
    loader, per_epoch = get_loader(config['batch_size']), 1797 // config['batch_size']
    for epoch in range(config['num_epochs']):
        for _ in range(per_epoch):
            metrics = train(*next(loader))
        if epoch % 6 == 0:
            print(epoch, metrics)
    want = torch.arange(1000) % 10
    with torch.no_grad():
        s = G(torch.randn(1000, config['dim_z']), want)
    classes, dist, acc = outside.digit_quality(s, want)
    outside.say(acc > 0.5, accuracy=acc, classes=classes, dist=dist)

if __name__ == '__main__':
    run(config)
