"""Lightning with manual optimization, as its own GAN example has it: `self(z)` makes the fakes."""
import json
import logging
import sys
import warnings

import lightning as L
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class GAN(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator = nn.Sequential(nn.Linear(6, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 8))
        self.discriminator = nn.Sequential(nn.Linear(8, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
        self.own = {"real": [], "fake": [], "d_norm": [], "g_norm": []}

    def forward(self, z):
        return self.generator(z)

    def training_step(self, batch, batch_idx):
        (real,) = batch
        opt_g, opt_d = self.optimizers()
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        self.toggle_optimizer(opt_g)
        g_loss = bce(self.discriminator(self(torch.randn(len(real), 6))), ones)
        opt_g.zero_grad()
        self.manual_backward(g_loss)
        self.own["g_norm"].append(torch.cat([p.grad.flatten() for p in self.generator.parameters()]).norm().item())
        opt_g.step()
        self.untoggle_optimizer(opt_g)
        self.toggle_optimizer(opt_d)
        on_real = self.discriminator(real)
        on_fake = self.discriminator(self(torch.randn(len(real), 6)).detach())
        opt_d.zero_grad()
        self.manual_backward((bce(on_real, ones) + bce(on_fake, zeros)) / 2)
        self.own["real"].append(on_real.mean().item())
        self.own["fake"].append(on_fake.mean().item())
        self.own["d_norm"].append(torch.cat([p.grad.flatten() for p in self.discriminator.parameters()]).norm().item())
        opt_d.step()
        self.untoggle_optimizer(opt_d)

    def configure_optimizers(self):
        return torch.optim.Adam(self.generator.parameters(), 1e-3), torch.optim.Adam(self.discriminator.parameters(), 1e-3)


torch.manual_seed(43)
data = DataLoader(TensorDataset(torch.randn(128, 8)), batch_size=16)
gan = GAN()
trainer = L.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                    enable_model_summary=False)
trainer.fit(gan, data)
torch.save({"g": gan.generator.state_dict(), "d": gan.discriminator.state_dict()}, sys.argv[1])
json.dump(gan.own, open(sys.argv[1] + ".json", "w"))
