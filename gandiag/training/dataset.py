"""Dataset: what a training draws its reals from, whole in memory, with its content's fingerprint; and the split that holds some of it out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from gandiag.errors import UsageError

Kind = Literal["images", "points"]
CLASS_LIMIT = 2**16  # ImageNet-21k has 21 841: labels beyond are no classes


LABELLED_SAMPLES = 2000  # of which nearest neighbours are looked up: a fifth of a second for small images


@dataclass(frozen=True)
class Dataset:
    """Real samples with what is known about them.

    `samples` is uint8 (n, c, h, w) for images and float32 (n, d) for points; `labels` int64 (n,) or None; `classes` names them.
    Of a known mixture `modes` holds the centres (k, d), `mode_sd` their standard deviation and `mode_weights` their shares (k,).
    An `endless` mixture is sampled afresh for every batch: its `samples` are then a fixed draw for reference. `hash` is of the content.
    """

    name: str
    kind: Kind
    samples: Tensor
    labels: Tensor | None = None
    classes: tuple[str, ...] | None = None
    modes: np.ndarray | None = None
    mode_sd: float | None = None
    mode_weights: np.ndarray | None = None
    endless: bool = False
    hash: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample: (c, h, w) or (d,)."""
        return tuple(self.samples.shape[1:])

    @property
    def num_classes(self) -> int | None:
        """How many classes the labels name, or None without labels."""
        return None if self.classes is None else len(self.classes)

    def __len__(self) -> int:
        return len(self.samples)

    def batch(self, indices: Tensor | slice) -> Tensor:
        """Returns the samples at these places as the networks see them: float32, images in [-1, 1], points as they are."""
        return to_model(self.samples[indices])

    def about(self) -> dict[str, Any]:
        """Returns what run.json tells of the data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "count": None if self.endless else len(self),
            "classes": None if self.classes is None else list(self.classes),
            "modes": None if self.modes is None else self.modes.tolist(),
            "mode_sd": self.mode_sd,
            "mode_weights": None if self.mode_weights is None else self.mode_weights.tolist(),
            "hash": self.hash,
            "range": [-1, 1] if self.kind == "images" else None,
            **self.facts,
        }


def label_agreement(data: Dataset, *, most: int = LABELLED_SAMPLES) -> dict[str, float] | None:
    """Returns how often the sample nearest to one has its label, and how often that were by chance; None without labels.

    {"share", "chance", "count"} of at most that many samples, drawn by a fixed seed; the distance is Euclidean on the samples as they are.
    Labels that were shuffled against their samples show as a share near chance.
    """
    if data.labels is None or len(data) < 2:
        return None
    taken = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:most]
    labels = data.labels[taken]
    samples = data.samples[taken].flatten(1).to(torch.float32)
    between = torch.cdist(samples, samples).fill_diagonal_(torch.inf)
    same = labels[between.argmin(dim=1)] == labels
    frequencies = torch.bincount(labels).to(torch.float64) / len(labels)
    return {
        "share": float(same.double().mean()),
        "chance": float(frequencies.square().sum()),
        "count": float(len(labels)),
    }


def make_dataset(
    name: str,
    samples: np.ndarray | Tensor,
    *,
    labels: Sequence[int] | np.ndarray | Tensor | None = None,
    classes: Sequence[str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Dataset:
    """Builds a data set of one's own from uint8 images (n, c, h, w) or floating points (n, d), checks it and takes its fingerprint.

    Labels without class names get the names '0', '1', ...; what cannot be data raises UsageError.
    """
    tensor = _as_tensor(samples)
    kind = _kind(name, tensor)
    tensor = tensor if kind == "images" else _as_points(name, tensor)
    numbers = None if labels is None else _numbers(name, labels)
    names = _class_names(name, len(tensor), numbers, classes)
    return Dataset(
        name=name,
        kind=kind,
        samples=tensor,
        labels=numbers,
        classes=names,
        hash=fingerprint(tensor, numbers),
        facts=dict(facts or {}),
    )


def _as_tensor(samples: Any) -> Tensor:
    """Returns samples as a tensor in the computer's memory, of this machine's byte order, apart from any graph."""
    if isinstance(samples, np.ndarray):
        samples = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("="))
    return torch.as_tensor(samples).detach().cpu()


def _as_points(name: str, samples: Tensor) -> Tensor:
    points = samples.to(torch.float32)
    if not bool(torch.isfinite(points).all()):
        raise UsageError(
            f"{name}: some of its points are NaN, infinite or beyond float32; remove them, or scale them down"
        )
    return points


def _kind(name: str, samples: Tensor) -> Kind:
    if samples.ndim > 0 and len(samples) == 0:
        raise UsageError(f"{name}: no samples in it")
    if samples.ndim == 4 and samples.dtype == torch.uint8:
        return "images"
    if samples.ndim == 2 and samples.is_floating_point():
        return "points"
    raise UsageError(
        f"{name}: found {samples.dtype} of shape {tuple(samples.shape)}, expected uint8 images (n, c, h, w) in 0..255 "
        "or floating points (n, d)"
    )


def _numbers(name: str, labels: Any) -> Tensor:
    try:
        given = _as_tensor(labels).reshape(-1)
        numbers = given.to(torch.int64)
        if not bool((numbers == given).all()):
            raise ValueError
    except (OverflowError, RuntimeError, TypeError, ValueError):
        raise UsageError(f"{name}: its labels are no whole numbers from 0 on") from None
    return numbers


def _class_names(name: str, count: int, labels: Tensor | None, classes: Sequence[str] | None) -> tuple[str, ...] | None:
    if labels is None:
        return None
    if len(labels) != count:
        raise UsageError(f"{name}: {count} samples but {len(labels)} labels")
    low, high = int(labels.min()), int(labels.max())
    if classes is None and high >= CLASS_LIMIT:
        raise UsageError(f"{name}: its labels go up to {high}; number the classes from 0 on")
    names = tuple(classes) if classes is not None else tuple(str(i) for i in range(high + 1))
    if low < 0 or high >= len(names):
        raise UsageError(f"{name}: labels go from {low} to {high}, but there are {len(names)} classes")
    return names


def to_model(samples: Tensor) -> Tensor:
    """Returns uint8 images as float32 in [-1, 1]; points are passed on as they are."""
    return samples.to(torch.float32).div_(127.5).sub_(1.0) if samples.dtype == torch.uint8 else samples


def to_images(batch: Tensor) -> Tensor:
    """Returns images in [-1, 1] as uint8, rounded to the nearest grey level and clamped: the inverse of `to_model`."""
    return batch.detach().float().mul(127.5).add(127.5).round().clamp(0, 255).to(torch.uint8)


def fingerprint(samples: Tensor, labels: Tensor | None = None) -> str:
    """Returns the SHA-256 over shapes, types and bytes of samples and labels: equal data, equal hash, wherever it was read from."""
    digest = hashlib.sha256()
    for tensor in (samples, labels):
        if tensor is not None:
            digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
            for chunk in tensor.split(4096):
                digest.update(chunk.contiguous().numpy().tobytes())
    return digest.hexdigest()


def mixed_seed(*parts: int) -> int:
    """Returns one 63-bit seed from several whole numbers, such that nearby ones give unrelated streams."""
    words = np.random.SeedSequence([part & (2**64 - 1) for part in parts]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def seeded(*parts: int) -> torch.Generator:
    """Returns a random generator of its own, on the CPU, that depends on these numbers and on nothing else."""
    return torch.Generator().manual_seed(mixed_seed(*parts))


def subset(dataset: Dataset, indices: Tensor) -> Dataset:
    """Returns the data set of these samples only, under a hash of its own."""
    samples = dataset.samples[indices]
    labels = None if dataset.labels is None else dataset.labels[indices]
    return replace(dataset, samples=samples, labels=labels, hash=fingerprint(samples, labels))


def hold_out(dataset: Dataset, *, share: float = 0.1, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Splits into training data and held-out data that the discriminator never sees, the same way for the same seed.

    Each class gives its share, rounded down; where no class has so many, the largest give one each until the share of the whole is
    reached. An endless mixture needs no split: what it holds out is its fixed draw, which training never sees.
    """
    if not 0 < share < 1:
        raise UsageError(f"the held-out share is {share}; it must lie between 0 and 1")
    if dataset.endless:
        return dataset, replace(dataset, endless=False)
    order = torch.randperm(len(dataset), generator=seeded(seed, 0x5011))
    held = torch.zeros(len(dataset), dtype=torch.bool)
    groups = torch.zeros(len(dataset), dtype=torch.int64) if dataset.labels is None else dataset.labels
    for group in groups.unique():
        members = order[groups[order] == group]
        held[members[: int(len(members) * share)]] = True
    if not bool(held.any()):
        held[_one_each(order, groups, int(len(dataset) * share))] = True
    if not bool(held.any()):
        raise UsageError(
            f"{dataset.name}: {len(dataset)} samples are too few to hold out {share:.2g} of them; set heldout=0, or a larger share"
        )
    return subset(dataset, torch.nonzero(~held).flatten()), subset(dataset, torch.nonzero(held).flatten())


def _one_each(order: Tensor, groups: Tensor, wanted: int) -> Tensor:
    """Returns the places of `wanted` samples, each of another class, the largest classes first; none of a class of one."""
    sizes = [(int((groups == group).sum()), int(group)) for group in groups.unique()]
    largest = sorted((-size, group) for size, group in sizes if size > 1)[:wanted]
    return torch.tensor([int(order[groups[order] == group][0]) for _, group in largest], dtype=torch.int64)
