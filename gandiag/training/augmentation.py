"""AUGMENTATIONS: what both reals and fakes go through before the discriminator sees them, so that few samples last; and ADA, which finds how often.

All are differentiable by the images and draw from the random generator that they are given. Images are (n, c, h, w) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi, sqrt
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from gandiag.errors import UsageError, did_you_mean

Probability = float | Tensor
TARGET = 0.6  # E[sign D(real)] that ADA holds (Karras et al. 2020)
INTERVAL = 4  # updates of the discriminator between two changes of p (the same)
IMAGES_TO_ONE = 500_000  # images in which p can go from 0 to 1 (the same)
SHIFT = 0.125  # of the side
LOG_SCALE_SD = 0.2  # of zooms and stretches, in powers of two (the same)
BRIGHTNESS_SD, LOG_CONTRAST_SD, LOG_SATURATION_SD = 0.2, 0.5, 1.0  # (the same)


def diffaugment(images: Tensor, probability: Probability, random: torch.Generator | None = None) -> Tensor:
    """Colour, translation and cutout as in DiffAugment (Zhao et al. 2020), on each image with this probability."""
    _require_images(images)
    chosen = _gate(images, probability, random)
    changed = images + (_uniform(images, random) - 0.5)  # brightness
    mean = changed.mean(1, keepdim=True)
    changed = (changed - mean) * (2 * _uniform(images, random)) + mean  # saturation
    mean = changed.mean((1, 2, 3), keepdim=True)
    changed = (changed - mean) * (_uniform(images, random) + 0.5) + mean  # contrast
    changed = cut_out(shifted(changed, random), random)
    return torch.where(chosen, changed, images)


def shifted(images: Tensor, random: torch.Generator | None = None) -> Tensor:
    """Moves each image by up to an eighth of its side in whole pixels; what comes in is 0, which is grey."""
    count, _, height, width = images.shape
    places = []
    for side in (height, width):
        most = int(side * SHIFT + 0.5)
        move = torch.randint(-most, most + 1, (count, 1), generator=random, device=images.device)
        places.append(torch.arange(side, device=images.device) + move)
    inside = [(place >= 0) & (place < side) for place, side in zip(places, (height, width))]
    rows, columns = (place.clamp(0, side - 1) for place, side in zip(places, (height, width)))
    moved = images.gather(2, rows[:, None, :, None].expand_as(images)).gather(
        3, columns[:, None, None, :].expand_as(images)
    )
    return moved * (inside[0][:, None, :, None] & inside[1][:, None, None, :])


def cut_out(images: Tensor, random: torch.Generator | None = None) -> Tensor:
    """Sets a square of half the side to 0 in each image; it may lie partly outside."""
    masks = []
    for side in images.shape[2:]:
        size = int(side * 0.5 + 0.5)
        centre = torch.randint(0, side + (1 - size % 2), (len(images), 1), generator=random, device=images.device)
        place = torch.arange(side, device=images.device)
        masks.append((place >= centre - size // 2) & (place < centre - size // 2 + size))
    return images * ~(masks[0][:, None, :, None] & masks[1][:, None, None, :])


def ada(images: Tensor, probability: Probability, random: torch.Generator | None = None) -> Tensor:
    """Flips, turns, shifts, zooms, stretches and colour changes, each on each image with this probability (the 'bgc' set of Karras et al. 2020).

    Sampling is bilinear with reflected borders, where the original filters by wavelets.
    """
    _require_images(images)
    return _recoloured(warped(images, _geometry(images, probability, random)), probability, random)


def warped(images: Tensor, matrices: Tensor) -> Tensor:
    """Returns images whose pixel at u is the old one at M u, u in pixels from the middle; matrices (n, 2, 3)."""
    height, width = images.shape[2:]
    units = torch.stack(
        [matrices.new_full((), side / 2) for side in (width, height)]
    )  # filled there: a copy would wait
    normalised = torch.cat([matrices[:, :, :2] * units / units[:, None], matrices[:, :, 2:] / units[:, None]], dim=2)
    grid = affine_grid(normalised.to(images.dtype), list(images.shape), align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _geometry(images: Tensor, probability: Probability, random: torch.Generator | None) -> Tensor:
    """Composes one random affine map an image; each part of it is the identity unless its own coin says otherwise."""
    count, _, height, width = images.shape
    device = images.device

    def uniform() -> Tensor:
        return torch.rand(count, generator=random, device=device)

    def normal() -> Tensor:
        return torch.randn(count, generator=random, device=device)

    def maybe(matrix: Tensor, chance: Probability = probability) -> Tensor:
        return torch.where((uniform() < chance)[:, None, None], matrix, torch.eye(3, device=device))

    chance_of_turn = (
        1 - (1 - torch.as_tensor(probability, device=device).clamp(0, 1)).sqrt()
    )  # two turns make the one probability
    stretch = torch.exp(normal() * LOG_SCALE_SD * log(2))
    zoom = torch.exp(normal() * LOG_SCALE_SD * log(2))
    parts = [
        maybe(_scales((uniform() < 0.5) * 2.0 - 1, torch.ones(count, device=device))),
        maybe(_turns((uniform() * 4).floor() * pi / 2)),
        maybe(_moves(((uniform() * 2 - 1) * SHIFT * width).round(), ((uniform() * 2 - 1) * SHIFT * height).round())),
        maybe(_scales(zoom, zoom)),
        maybe(_turns((uniform() * 2 - 1) * pi), chance_of_turn),
        maybe(_scales(stretch, 1 / stretch)),
        maybe(_turns((uniform() * 2 - 1) * pi), chance_of_turn),
        maybe(_moves(normal() * SHIFT * width, normal() * SHIFT * height)),
    ]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole @ part
    return whole[:, :2]


def _recoloured(images: Tensor, probability: Probability, random: torch.Generator | None) -> Tensor:
    """Brightness, contrast, inversion of the luma and, in colour, a turn of the hue and saturation."""

    def maybe(changed: Tensor, images: Tensor) -> Tensor:
        return torch.where(_gate(images, probability, random), changed, images)

    images = maybe(images + BRIGHTNESS_SD * _normal(images, random), images)
    images = maybe(images * torch.exp(LOG_CONTRAST_SD * log(2) * _normal(images, random)), images)
    grey = images.mean(1, keepdim=True)
    images = maybe(images - 2 * grey * (_uniform(images, random) < 0.5), images)
    if images.shape[1] == 1:
        return images
    if images.shape[1] == 3:
        images = maybe(hue_turned(images, (_uniform(images, random) * 2 - 1) * pi), images)
    grey = images.mean(1, keepdim=True)
    return maybe(grey + (images - grey) * torch.exp(LOG_SATURATION_SD * log(2) * _normal(images, random)), images)


def hue_turned(images: Tensor, angle: Tensor) -> Tensor:
    """Turns the colours (n, 3, h, w) by an angle (n, 1, 1, 1) about the axis of the greys, which stay as they are (Rodrigues)."""
    grey = images.mean(1, keepdim=True)
    across = (images.roll(1, dims=1) - images.roll(-1, dims=1)) / sqrt(
        3
    )  # the axis (1, 1, 1) / sqrt(3) times the colour
    return grey + (images - grey) * angle.cos() + across * angle.sin()


def _matrix(entries: list[list[Tensor | float]], like: Tensor) -> Tensor:
    rows = [
        torch.stack([entry if isinstance(entry, Tensor) else torch.full_like(like, entry) for entry in row], dim=1)
        for row in entries
    ]
    return torch.stack(rows, dim=1)


def _scales(x: Tensor, y: Tensor) -> Tensor:
    return _matrix([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]], x)


def _turns(angle: Tensor) -> Tensor:
    return _matrix([[angle.cos(), -angle.sin(), 0.0], [angle.sin(), angle.cos(), 0.0], [0.0, 0.0, 1.0]], angle)


def _moves(x: Tensor, y: Tensor) -> Tensor:
    return _matrix([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]], x)


def _gate(images: Tensor, probability: Probability, random: torch.Generator | None) -> Tensor:
    return _uniform(images, random) < probability


def _uniform(images: Tensor, random: torch.Generator | None) -> Tensor:
    return torch.rand((len(images), 1, 1, 1), generator=random, device=images.device, dtype=images.dtype)


def _normal(images: Tensor, random: torch.Generator | None) -> Tensor:
    return torch.randn((len(images), 1, 1, 1), generator=random, device=images.device, dtype=images.dtype)


def _require_images(images: Tensor) -> None:
    if images.ndim != 4:
        raise UsageError(
            f"augmentation works on images (n, c, h, w), not on samples of the shape {tuple(images.shape)}; set augmentation=none"
        )


Augmentation = Callable[[Tensor, Probability, torch.Generator | None], Tensor]
AUGMENTATIONS: dict[str, Augmentation] = {"diffaugment": diffaugment, "ada": ada}


def augmentation_named(name: str) -> Augmentation:
    """Returns the augmentation of this name; an unknown one raises UsageError with the nearest that is known."""
    if name not in AUGMENTATIONS:
        raise UsageError(
            f"unknown augmentation {name!r}{did_you_mean(name, tuple(AUGMENTATIONS))}; known: none, {', '.join(AUGMENTATIONS)}"
        )
    return AUGMENTATIONS[name]


class AdaptiveProbability:
    """ADA's controller: p rises while E[sign D(real)] is above the target and falls below it. It stays on the device, nothing is read.

    `p` is a 0-d tensor, to be handed to an augmentation. The rule is invalid for critics whose outputs have a free offset.
    """

    def __init__(
        self,
        *,
        device: str | torch.device = "cpu",
        target: float = TARGET,
        interval: int = INTERVAL,
        images: int = IMAGES_TO_ONE,
        initial: float = 0.0,
    ) -> None:
        if interval < 1 or images < 1 or not -1 <= target <= 1 or not 0 <= initial <= 1:
            raise UsageError(
                f"ADA needs a target in [-1, 1], an interval and images of at least 1 and an initial p in [0, 1], "
                f"not {target}, {interval}, {images}, {initial}"
            )
        self.target, self.interval, self.images = target, interval, images
        self.p = torch.tensor(float(initial), device=device)
        self._signs = torch.zeros((), device=device)
        self._seen = self._updates = 0

    def observe(self, real_logits: Tensor) -> None:
        """Takes note of D's outputs on a batch of reals; every `interval` batches p moves by their number of images over `images`."""
        self._signs = self._signs + real_logits.detach().sign().sum()
        self._seen += real_logits.numel()
        self._updates += 1
        if self._updates == self.interval:
            step = torch.sign(self._signs / self._seen - self.target) * (self._seen / self.images)
            self.p = (self.p + step).clamp(0.0, 1.0)
            self._signs, self._seen, self._updates = torch.zeros_like(self._signs), 0, 0

    def state_dict(self) -> dict[str, Any]:
        """Returns p and what has been noted since it last moved."""
        return {"p": self.p.clone(), "signs": self._signs.clone(), "seen": self._seen, "updates": self._updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a saved state, exactly."""
        self.p, self._signs = (state[name].clone().to(self.p.device) for name in ("p", "signs"))
        self._seen, self._updates = int(state["seen"]), int(state["updates"])
