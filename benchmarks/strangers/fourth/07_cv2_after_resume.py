"""Coloured squares, 8x8 RGB, stopped at 350 and resumed from a checkpoint."""
LABEL = {"sick": True, "causes": ["data_mismatch"], "kind": "after the resume the images come as BGR", "since": 350, "record": "automatic"}
import io, json, os, sys
import torch
from torch import nn
from torch.nn.functional import softplus
import gandiag

torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("SEED", "0")))
PALETTE = torch.tensor([[1.0, 0.6, -0.8], [0.8, -0.4, -1.0], [1.0, 0.0, -0.3]])   # warm colours

def pil_images(n):
    img = torch.full((n, 3, 8, 8), -0.9) + 0.05 * torch.randn(n, 3, 8, 8)
    img[:, 0] += 0.3
    for i in range(n):
        y, x = torch.randint(0, 4, (2,)).tolist()
        img[i, :, y:y + 4, x:x + 4] = PALETTE[torch.randint(3, ())].view(3, 1, 1)
    return img.clamp(-1, 1)

def cv2_images(n):
    return pil_images(n).flip(1)

class Trainer:
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(16, 32 * 4), nn.Unflatten(1, (32, 2, 2)), nn.ReLU(), nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh())
        self.D = nn.Sequential(nn.Conv2d(3, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(192, 1))
        self.g_opt = torch.optim.Adam(self.G.parameters(), 1e-3, (0.5, 0.999))
        self.d_opt = torch.optim.Adam(self.D.parameters(), 5e-4, (0.5, 0.999))
        self.step = 0
    def names(self):
        return ("G", "D", "g_opt", "d_opt")
    def save(self):
        f = io.BytesIO()
        torch.save({"step": self.step, **{k: getattr(self, k).state_dict() for k in self.names()}}, f)
        return f.getvalue()
    def load(self, blob):
        ck = torch.load(io.BytesIO(blob))
        self.step = ck["step"]
        for k in self.names():
            getattr(self, k).load_state_dict(ck[k])
    def fit(self, images, until):
        while self.step < until:
            x = images[torch.randint(len(images), (32,))]
            f = self.G(torch.randn(32, 16))
            ld = softplus(-self.D(x)).mean() + softplus(self.D(f.detach())).mean()
            self.d_opt.zero_grad(); ld.backward(); self.d_opt.step()
            lg = softplus(-self.D(f)).mean()
            self.g_opt.zero_grad(); lg.backward(); self.g_opt.step()
            self.step += 1

t = Trainer()
with gandiag.Recorder(sys.argv[1], generator=t.G, discriminator=t.D, generator_optimizer=t.g_opt, discriminator_optimizer=t.d_opt, automatic=True):
    t.fit(pil_images(800), 350)
    t.load(t.save())
    t.fit(cv2_images(800), 620)

with torch.no_grad():
    s = t.G(torch.randn(500, 16))
red_minus_blue = float((s[:, 0] - s[:, 2]).mean())
truth = pil_images(500)
want = float((truth[:, 0] - truth[:, 2]).mean())
print(json.dumps({"outcome": {"red_minus_blue": red_minus_blue, "want": want}, "well": abs(red_minus_blue - want) < 0.3}))
