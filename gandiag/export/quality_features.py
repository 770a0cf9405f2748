"""What torch adds to the quality certificate: the draws themselves, named features, precision and recall, modes. Imports gandiag.metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from gandiag.export.contract import Certificate, Contract
from gandiag.export.parity import TOLERANCE_IN_FLOORS, Reference
from gandiag.export.quality import (
    Draws,
    Scale,
    as_float,
    file_samples,
    inputs,
    quality_certificate,
    sample_count,
    torch_free_scales,
)
from gandiag.export.served import Served, evaluate
from gandiag.export.session import Session

SPLITS = 12  # a wide feature space costs a tenth of a second a split
NEIGHBOURS = 3


def draw(served: Served, session: Session, contract: Contract) -> Draws:
    """Draws the samples of both sides; `served` is the generator as torch runs it in the file's form."""
    count = sample_count(contract)
    same, other = (as_float(evaluate(served, *inputs(contract, count, which)), contract) for which in (0, 1))
    return Draws(same, other, file_samples(session, contract, count, 0), file_samples(session, contract, count, 1))


def certificate(
    draws: Draws, contract: Contract, reference: Reference, *, features: str | None, modes: Mapping[str, Any] | None
) -> Certificate:
    """Returns the quality certificate on coarse pixels and on named features, with precision, recall and modes covered."""
    scales = torch_free_scales(contract)
    if contract.kind == "images" and features is not None:
        scales[features] = _scale(features, contract)
    found = quality_certificate(
        draws, scales, TOLERANCE_IN_FLOORS * reference.floor, _mode_counter(contract, features, modes)
    )
    _add_neighbours(found.facts, draws, scales)
    return found


def _add_neighbours(facts: dict[str, Any], draws: Draws, scales: Mapping[str, Scale]) -> None:
    """Adds precision and recall of independent samples of the file against torch's, and of torch's own, on the last feature space."""
    from gandiag.metrics import precision_recall

    name = list(scales)[-1]
    same, other, file_other = (
        scales[name].extract(one) for one in (draws.torch_same, draws.torch_other, draws.file_other)
    )
    ours, theirs = precision_recall(same, file_other, NEIGHBOURS), precision_recall(same, other, NEIGHBOURS)
    facts["precision"] = {"features": name, "file": float(ours.precision), "torch": float(theirs.precision)}
    facts["recall"] = {"features": name, "file": float(ours.recall), "torch": float(theirs.recall)}


def _scale(name: str, contract: Contract) -> Scale:
    from gandiag.metrics import frechet_distance, load_features

    chosen = load_features(name)
    return Scale(lambda samples: chosen.extract(_images(samples, contract)).double().numpy(), frechet_distance, SPLITS)


def _images(samples: np.ndarray, contract: Contract) -> torch.Tensor:
    """Float images (n, c, h, w) as the bytes that extractors take."""
    low, high = contract.value_range
    levels = (samples.astype(np.float64) - low) * (255.0 / (high - low)) + 0.5
    return torch.from_numpy(np.clip(np.nan_to_num(levels), 0, 255).astype(np.uint8))


def _mode_counter(
    contract: Contract, features: str | None, modes: Mapping[str, Any] | None
) -> Callable[[np.ndarray], int] | None:
    """Returns what counts the modes that samples cover: of a known mixture, or the classes of a classifier's features."""
    from gandiag.metrics import load_features, mode_coverage

    if contract.kind == "points" and modes is not None:
        return lambda samples: int(mode_coverage(samples, np.asarray(modes["centres"]), modes["sd"]).covered)
    if (
        contract.kind == "images"
        and features is not None
        and (chosen := load_features(features)).probabilities is not None
    ):
        classify = chosen.probabilities
        return lambda samples: len(np.unique(classify(chosen.extract(_images(samples, contract))).argmax(1).numpy()))
    return None
