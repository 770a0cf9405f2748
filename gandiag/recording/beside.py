"""What a discriminator is given beside the reals, of any form but a class: whether it tells anything of them, or pairs were taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from gandiag.recording.conditions import MOST_CLASSES, counts, is_copy, same_class

SAMPLES = 1024  # of the reals
FIRST_ROW = 2  # where among several tensors G's output stands, and so the real, is known by then
MOST_ROWS, MOST_BATCHES = 2_000, 512  # after which nothing more is kept
MOST_VALUES = 1_024  # of a sample and of a condition; of larger ones so many, evenly spaced
ROWS_OF_A_CLASS = 8  # at least, on average: fewer are measurements rather than classes
CHANCE = 0.5  # that of two others drawn blindly the one is nearer


class Beside:
    """Keeps the first reals with what D is given beside them: source images, measurements, codes. Waits for nothing until it is asked."""

    def __init__(self) -> None:
        self._images: list[Tensor] = []
        self._given: list[Tensor] = []
        self._is_fake: list[Tensor | None] = []  # 0-d, on the device
        self._count = 0

    def wants(self, row: int) -> bool:
        """Tells whether more is kept in this step."""
        return FIRST_ROW <= row < MOST_ROWS and self._count < 2 * SAMPLES  # half of them may turn out to be fakes

    def note(
        self, image: Tensor | None, arguments: tuple[Any, ...], named: Mapping[str, Any], made: Iterable[Tensor] = ()
    ) -> None:
        """Keeps a batch of reals and the one other tensor of numbers, with as many samples, that D is given in the same call.

        What is one of G's last outputs, `made`, but for noise is left out in the end.
        """
        if image is None or image.dim() < 2:
            return
        others = [
            t
            for t in tree_leaves((arguments, dict(named)))
            if isinstance(t, Tensor) and t.is_floating_point() and t.dim() > 1 and t.data_ptr() != image.data_ptr()
        ]
        if len(others) == 1 and len(others[0]) == len(image):
            self._keep(image, others[0], _one_of(image, made))

    def note_joined(self, joined: Tensor, part: tuple[int, slice], made: Iterable[Tensor]) -> None:
        """Keeps a batch that is joined along axis 1 of reals and what stands beside them; `part` is how many there are, and which are the reals.

        Detached fakes that are joined look like reals: what equals one of G's last outputs, `made`, is left out in the end.
        """
        whole, mine = part
        if joined.dim() < 2 or joined.shape[1] != whole or len(self._images) >= MOST_BATCHES:
            return
        rest = joined[:, mine.stop :] if mine.start == 0 else joined[:, : mine.start]
        image = joined[:, mine].detach()
        self._keep(image, rest, _one_of(image, made))

    def _keep(self, image: Tensor, given: Tensor, is_fake: Tensor | None = None) -> None:
        self._images.append(_thinned(image))
        self._given.append(_thinned(given))
        self._is_fake.append(is_fake)
        self._count += len(image)

    def told(self) -> dict[str, float] | None:
        """Returns the entry of run.json: how often reals with neighbouring conditions lie nearer than others, and of how many samples.

        None where nothing was given, or forms changed. By chance it is a half. Waits for the device.
        """
        pairs = self._pairs()
        return None if pairs is None else agreement(*pairs)

    def told_of_classes(self) -> dict[str, Any] | None:
        """Returns the entry of run.json on labels, where what D is given is a class in numbers: a one-hot code, or one number of a few.

        None where it is none. Waits for the device.
        """
        pairs = self._pairs()
        found = None if pairs is None else classes_in_numbers(pairs[1])
        if pairs is None or found is None or not torch.isfinite(pairs[0]).all():
            return None
        return {"counts": {"real": counts(found)}, "agreement": same_class(pairs[0], found)}

    def _pairs(self) -> tuple[Tensor, Tensor] | None:
        """Returns the reals (n, d) and what D was given beside each (n, k), on the host; None where nothing was given, or forms changed."""
        real = [i for i, fake in enumerate(self._is_fake) if fake is None or not bool(fake)]
        images, given = [self._images[i] for i in real], [self._given[i] for i in real]
        if len({(i.shape[1], g.shape[1]) for i, g in zip(images, given)}) != 1:
            return None
        return torch.cat(images).float().cpu(), torch.cat(given).float().cpu()


def _one_of(image: Tensor, made: Iterable[Tensor]) -> Tensor | None:
    """Tells whether a batch is one of several, perhaps with noise: a 0-d flag; None where none has its form."""
    with torch.no_grad():
        found = [
            is_copy(image.detach(), one) for one in made if one.shape == image.shape and one.device == image.device
        ]
        return torch.stack(found).any() if found else None


def classes_in_numbers(given: Tensor) -> Tensor | None:
    """Returns the class of each row (n,), where rows (n, k) are classes in numbers; planes that repeat a code count as the code."""
    if not torch.isfinite(given).all():
        return None
    kinds, which = np.unique(given.numpy(), axis=0, return_inverse=True)
    if not 1 < len(kinds) <= min(MOST_CLASSES, len(given) / ROWS_OF_A_CLASS):
        return None
    codes = np.isin(kinds, (0, 1)).all() and len({*kinds.sum(axis=1).tolist()}) == 1 and kinds.sum() > 0
    alone = (kinds == kinds[:, :1]).all()  # one number, perhaps over a plane
    return torch.from_numpy(which.reshape(-1)) if codes or alone else None


def agreement(samples: Tensor, given: Tensor) -> dict[str, float] | None:
    """Returns how often, of a real and two others, the one whose condition is nearest to its own lies nearer than one that is drawn blindly.

    `samples` (n, d) and `given` (n, k); a sample or a condition that comes twice counts once: pairs would vouch for themselves.
    """
    if not (torch.isfinite(samples).all() and torch.isfinite(given).all()):
        return None
    first = _once(samples)
    samples, given = samples[first], given[first]
    first = _once(given)
    samples, given = samples[first], given[first]
    count = len(samples)
    if count < 3:
        return None
    near = torch.cdist(given, given).fill_diagonal_(torch.inf).argmin(1)
    places = torch.arange(count)
    step = 1 + torch.randint(count - 1, (count,), generator=torch.Generator().manual_seed(0))
    blind = (places + step) % count
    blind = torch.where(blind == near, (blind + 1) % count, blind)
    told = blind != places
    nearer = (samples - samples[near]).norm(dim=1) < (samples - samples[blind]).norm(dim=1)
    return {"share": float(nearer[told].double().mean()), "chance": CHANCE, "count": float(told.sum())}


def _once(rows: Tensor) -> np.ndarray:
    _, first = np.unique(rows.numpy(), axis=0, return_index=True)
    return np.sort(first)


def _thinned(values: Tensor) -> Tensor:
    flat = values.detach().reshape(len(values), -1)
    return flat[:, :: -(-flat.shape[1] // MOST_VALUES)].clone()
