"""A classifier trained on the spot for any labelled images: a feature space that knows the data's own classes."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.metrics.cache import cache_folder, content_hash
from gandiag.metrics.feature_space import Features, check_images, in_batches

LARGEST_SIDE = 32  # images are reduced to it by area
STEPS, BATCH, LEARNING_RATE = 300, 128, 3e-3
SMALLEST_MAP = 8  # maps are halved while they are larger
MOST_IMAGES = 20_000
HELDOUT_SHARE = 0.1
WIDTH = 64
FORMAT = 2  # changes with the network or its training: older cached weights are then not read


class SmallClassifier(nn.Module):
    """Four convolutions with batch norm, a mean over the image, and two dense layers; `features` (n, 64)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        widths = (channels, 16, 32, 64, 64)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in widths[1:])
        self.hidden = nn.Linear(widths[-1] * 4, WIDTH)
        self.head = nn.Linear(WIDTH, classes)

    def features(self, images: Tensor) -> Tensor:
        x = _pixels(images)
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            x = F.silu(norm(convolution(x)))
            if index < 2 and min(x.shape[-2:]) > SMALLEST_MAP:
                x = F.avg_pool2d(x, 2)
        return F.silu(self.hidden(F.adaptive_avg_pool2d(x, 2).flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))


def classifier_features(
    images: Tensor,
    labels: Sequence[int] | Tensor | np.ndarray,
    *,
    names: Sequence[str] | None = None,
    seed: int = 0,
    steps: int = STEPS,
    folder: Path | None = None,
) -> Features:
    """Returns the features of a classifier trained on these uint8 images (n, c, h, w) and labels (n,), 0 .. K-1.

    A tenth is held out, and the accuracy on it stands in the fingerprint. The weights are cached by the hash of pixels, labels
    and settings. The same data and seed give the same features on one kind of machine. Raises ValueError on fewer than 2 classes.
    """
    x, y = check_images(images).cpu(), torch.as_tensor(np.asarray(labels), dtype=torch.int64)
    if y.shape != (len(x),):
        raise ValueError(f"{len(x)} images came with labels of shape {tuple(y.shape)}: one label an image was expected")
    classes = max(int(y.max()) + 1, len(names or ()))  # a class without images has a name too
    if int(y.min()) < 0 or len(torch.unique(y)) < 2:
        raise ValueError("a classifier needs labels from 0 on, of at least two classes")
    key = hashlib.sha256(
        f"{FORMAT} {content_hash([x])} {classes} {seed} {steps}".encode() + y.numpy().tobytes()
    ).hexdigest()
    file = (folder or cache_folder()) / "classifiers" / f"{key}.safetensors"
    network, accuracy = _load_or_train(file, x, y, classes, seed, steps)
    fingerprint = {
        "features": "classifier",
        "weights": _weights_hash(network),
        "data": key,
        "heldout_accuracy": round(accuracy, 4),
        "resize": f"area to at most {LARGEST_SIDE}",
    }

    def probabilities(features: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.softmax(network.head(features.cpu().to(torch.float32)), dim=1)

    return Features(
        "classifier",
        in_batches(lambda part: network.features(part.cpu())),
        fingerprint,
        probabilities,
        tuple(names) if names is not None else tuple(str(c) for c in range(classes)),
    )


def _load_or_train(
    file: Path, x: Tensor, y: Tensor, classes: int, seed: int, steps: int
) -> tuple[SmallClassifier, float]:
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save_file

    with torch.random.fork_rng(devices=[]):
        network = SmallClassifier(x.shape[1], classes)
    try:
        with safe_open(file, framework="pt") as kept:
            network.load_state_dict({name: kept.get_tensor(name) for name in kept.keys()})  # noqa: SIM118 - no mapping
            return network.eval().requires_grad_(False), float(kept.metadata()["heldout_accuracy"])
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError):
        pass  # not kept, or damaged: it is trained
    network, accuracy = train_classifier(x, y, classes, seed=seed, steps=steps)
    scratch = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {k: v.contiguous() for k, v in network.state_dict().items()},
            scratch,
            metadata={"heldout_accuracy": repr(accuracy)},
        )
        os.replace(scratch, file)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
    return network, accuracy


def train_classifier(x: Tensor, y: Tensor, classes: int, *, seed: int, steps: int) -> tuple[SmallClassifier, float]:
    """Returns the trained network and its accuracy on the held-out tenth; torch's own random state is left as it was."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(y)))[:MOST_IMAGES]
    held = _hold_out_images(x[order])
    heldout, train = order[held], order[~held]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallClassifier(x.shape[1], classes)
        _fit(network, x[train], y[train], steps)
    network.eval().requires_grad_(False).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # as one read from the cache
    with torch.no_grad():
        found = torch.cat([network(part).argmax(1) for part in x[heldout].split(256)])
    return network, float((found == y[heldout]).double().mean())


def _hold_out_images(x: Tensor) -> Tensor:
    """Marks the first tenth of the distinct images, with all their copies: bool (n,). A copy in training would be no test."""
    known: dict[bytes, int] = {}
    identity = torch.tensor([known.setdefault(image.tobytes(), len(known)) for image in x.numpy()])
    return identity < max(1, int(len(known) * HELDOUT_SHARE))


def _fit(network: SmallClassifier, x: Tensor, y: Tensor, steps: int) -> None:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it; 1.4 times as fast on a CPU
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=max(steps, 2))
    for _ in range(steps):
        chosen = torch.randint(len(y), (min(BATCH, max(2, len(y))),))
        images = x[chosen].contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(network(images), y[chosen], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def _pixels(images: Tensor) -> Tensor:
    x = images.to(torch.float32) / 127.5 - 1
    height, width = x.shape[-2:]
    longest = max(height, width)
    if longest <= LARGEST_SIDE:
        return x
    size = (max(1, round(height * LARGEST_SIDE / longest)), max(1, round(width * LARGEST_SIDE / longest)))
    return F.interpolate(x, size=size, mode="area")


def _weights_hash(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
