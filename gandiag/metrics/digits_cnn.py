"""The digits-cnn: a small fixed classifier of digits whose last hidden layer is a feature space that needs no download."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 8  # scikit-learn's digits are 8x8; every image is brought to that
WIDTH = 64  # of the feature layer
WEIGHTS = Path(__file__).parent / "weights" / "digits-cnn.safetensors"
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


class DigitsCNN(nn.Module):
    """Three convolutions and two dense layers on (n, 1, 8, 8) in [0, 1]; `features` (n, 64), `head` (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 48, 3, stride=2, padding=1)
        self.hidden = nn.Linear(48 * 16, WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def features(self, pixels: Tensor) -> Tensor:
        x = F.silu(self.conv1(pixels))
        x = F.silu(self.conv2(x))
        x = F.silu(self.conv3(x))
        return F.silu(self.hidden(x.flatten(1)))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.features(pixels))


def to_eight_by_eight(images: Tensor) -> Tensor:
    """Returns uint8 images (n, c, h, w) of any size as grey (n, 1, 8, 8) float32 in [0, 1].

    Three channels (and the first three of four) become BT.601 luma, any other number their mean. Sides of 8 and more are
    reduced by area averaging, smaller ones enlarged bilinearly.
    """
    x = images.to(torch.float32) / 255.0
    if x.shape[1] in (3, 4):
        x = (x[:, :3] * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    elif x.shape[1] != 1:
        x = x.mean(1, keepdim=True)
    if x.shape[-2:] == (SIDE, SIDE):
        return x
    if min(x.shape[-2:]) >= SIDE:
        return F.interpolate(x, size=(SIDE, SIDE), mode="area")
    return F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False)


def load_digits_cnn(path: Path = WEIGHTS) -> DigitsCNN:
    """Returns the trained network in evaluation mode, on the CPU."""
    from safetensors.torch import load_file

    network = DigitsCNN()
    network.load_state_dict(load_file(path))
    return network.eval().requires_grad_(False)
