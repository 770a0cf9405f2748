"""What `gandiag evaluate` is given, turned into features: image sets, runs, exported models, statistics; and the scores of all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from gandiag.cli.evaluate_generators import of_bundle, of_onnx, of_run
from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.array_files import read_statistics
from gandiag.metrics.cache import cached_features, content_hash, keep_features
from gandiag.metrics.choice import own_classifier, suitable_features
from gandiag.metrics.feature_space import Features
from gandiag.metrics.features import load_features
from gandiag.metrics.frechet import FrechetStatistics, frechet_statistics, statistics_of_gaussian
from gandiag.metrics.image_set import ImageSource, sized_to
from gandiag.metrics.quality import Evaluation, Reference
from gandiag.metrics.scoring import BY_STATISTICS, chosen_metrics, score_features, score_statistics
from gandiag.metrics.sources import open_images
from gandiag.training.processes import Processes

Progress = Callable[..., None]
MOST_GENERATED = 10_000  # fakes of a generator where no count was given
ANY_SHAPE = (
    "digits-cnn",
    "inception-",
    "dinov2",
    "clip",
)  # features that bring images to a size and colour of their own


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    real: str
    fakes: tuple[str, ...]
    heldout: str | None = None
    metrics: tuple[str, ...] = ("fd",)
    features: str = "auto"
    weights: str | None = None
    count: int | None = None
    size: int | None = None
    checkpoint: str = "best"
    seed: int = 0
    cache: bool = True
    processes: Processes = field(default_factory=Processes)
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Given:
    """One side: an image set, a generator's images drawn when they are read, or statistics alone."""

    name: str
    images: ImageSource | None = None
    statistics: FrechetStatistics | None = None


def evaluate(request: Request, progress: Progress) -> tuple[list[tuple[str, Evaluation]], list[str]]:
    """Returns each fake's evaluation and notes in words; raises UsageError or GandiagError where something cannot be scored.

    Under torchrun each process extracts its share of the features, and the first one scores; the others return nothing.
    """
    metrics = chosen_metrics(request.metrics)
    real = open_side(request.real, request, of_reals=True)
    fakes = [open_side(uri, request, like=real.images) for uri in request.fakes]
    if real.statistics is not None or any(f.statistics is not None for f in fakes):
        return _by_statistics(real, fakes, request, metrics, progress)
    assert real.images is not None
    everything = open_images(request.real, size=request.size)  # to choose by, however few are then scored
    features = request.processes.first_then_all(lambda: choose_features(everything, request))
    notes = _make_alike(fakes)
    if list(request.metrics) == ["all"] and features.probabilities is None:
        metrics = tuple(m for m in metrics if m != "is")
        notes.append(f"the Inception Score is left out: {features.name} is no classifier")
    reference = Reference(
        extract(real.images, features, request, progress), real.images.labels, request.seed, source=real.name
    )
    heldout = None
    if request.heldout is not None:
        side = open_side(request.heldout, request)
        heldout = extract(_images(side), features, request, progress)
    results = []
    for fake in fakes:
        images = _images(fake)
        _check_shapes(real.images, images, features)
        found = extract(images, features, request, progress)
        if not request.processes.writes:
            continue
        try:
            evaluation = score_features(
                reference,
                found,
                features,
                metrics,
                seed=request.seed,
                heldout=heldout,
                say=partial(_say, progress, fake.name),
            )
        except ValueError as error:
            raise GandiagError(f"{fake.name} against {real.name}: {error}") from None
        evaluation.protocol.update(size=request.size, real_shape=list(real.images.shape), fake_shape=list(images.shape))
        results.append((fake.name, evaluation))
    return results, list(dict.fromkeys(notes + [str(e.protocol["note"]) for _, e in results if "note" in e.protocol]))


def _say(progress: Progress, name: str, metric: str) -> None:
    progress(f"{name}: {metric}")


def open_side(uri: str, request: Request, *, like: ImageSource | None = None, of_reals: bool = False) -> Given:
    """Opens one URI; a generator is asked for as many images as `like` has, or as the request counts."""
    statistics = read_statistics(uri)
    if statistics is not None:
        try:
            return Given(uri, statistics=statistics_of_gaussian(*statistics))
        except ValueError as error:
            raise GandiagError(f"{uri}: {error}") from None
    path = Path(uri)
    count = request.count or min(like.count if like else MOST_GENERATED, MOST_GENERATED)
    if not of_reals and (path / "run.json").is_file():
        drawn = of_run(path, count, checkpoint=request.checkpoint, seed=request.seed)
        return Given(uri, sized_to(drawn, request.size))
    if not of_reals and (path / "manifest.json").is_file():
        return Given(uri, sized_to(of_bundle(path, count, seed=request.seed), request.size))
    if not of_reals and path.suffix == ".onnx":
        return Given(uri, sized_to(of_onnx(path, count, seed=request.seed), request.size))
    source = open_images(uri, size=request.size)
    return Given(uri, source if request.count is None else source.thinned(request.count, request.seed))


def extract(images: ImageSource, features: Features, request: Request, progress: Progress) -> np.ndarray:
    """Returns features (n, d) float64 of all images, from the cache where they are in it; memory for one batch of images.

    Under torchrun each process makes its share; the first one has them all, the others what they made.
    """
    task = f"{images.name}: {features.name} features of {images.count} images"
    progress(task, 0, images.count)
    processes, key, kept = request.processes, "", None
    if request.cache and processes.writes:
        key = content_hash(images.batches())
        kept = cached_features(key, features.fingerprint)
        kept = kept if kept is not None and len(kept) == images.count else None
    if processes.agreed(int(kept is not None)):
        return kept.astype(np.float64) if kept is not None else np.empty((0, 1))
    found = processes.joined(
        _extracted(images.part(processes.rank, processes.world), features, request, progress, task)
    )
    if key:
        keep_features(key, features.fingerprint, torch.from_numpy(found))
    return found.astype(np.float64)


def _extracted(images: ImageSource, features: Features, request: Request, progress: Progress, task: str) -> np.ndarray:
    parts, done = [], 0
    for batch in images.batches():
        parts.append(features.extract(batch.to(request.device)).cpu())
        done += len(batch)
        progress(task, done, images.count)
    return torch.cat(parts).numpy() if parts else np.empty((0, 0), dtype=np.float32)


def choose_features(real: ImageSource, request: Request) -> Features:
    """Returns the features of that name; `auto` are those that suit the reals."""
    if request.features == "auto":
        return suitable_features(real.labels, real.read, real.classes)
    if request.features != "classifier":
        return load_features(request.features, weights=request.weights)
    if real.labels is None:
        raise UsageError(
            f"the classifier features need labelled reals, and {real.name} has none: give class subfolders, or other features"
        )
    return own_classifier(real.labels, real.read, real.classes)


def _make_alike(fakes: list[Given]) -> list[str]:
    """Thins all fakes to the smallest of them: scores of different N are not compared."""
    counts = [_images(f).count for f in fakes]
    if len(set(counts)) < 2:
        return []
    for i, fake in enumerate(fakes):
        fakes[i] = Given(fake.name, _images(fake).thinned(min(counts)))
    return [
        f"all fakes were thinned to {min(counts)}, the smallest set's count: scores of different N cannot be compared"
    ]


def _check_shapes(real: ImageSource, fake: ImageSource, features: Features) -> None:
    if real.shape != fake.shape and not features.name.startswith(ANY_SHAPE):
        shapes = [f"{s[2]}x{s[1]} with {s[0]} channel{'s' * (s[0] > 1)}" for s in (real.shape, fake.shape)]
        raise UsageError(
            f"{real.name} is {shapes[0]}, {fake.name} is {shapes[1]}: {features.name} features compare like with like only; "
            "bring both to one size with --size, and to the same number of channels"
        )


def _images(side: Given) -> ImageSource:
    assert side.images is not None
    return side.images


def _by_statistics(
    real: Given, fakes: list[Given], request: Request, metrics: tuple[str, ...], progress: Progress
) -> tuple[list[tuple[str, Evaluation]], list[str]]:
    features: Features | None = None
    first = next((s.images for s in (real, *fakes) if s.images is not None), None)
    if first is not None:
        if request.features == "auto":
            raise UsageError(
                "a file of mu and sigma does not say which features it was made on: name them with --features (inception-tf, say)"
            )
        features = load_features(request.features, weights=request.weights)
    name = features.name if features else request.features if request.features != "auto" else "given"

    def statistics(side: Given) -> FrechetStatistics | None:
        if side.statistics is not None:
            return side.statistics
        assert features is not None
        found = extract(_images(side), features, request, progress)
        return frechet_statistics(found) if request.processes.writes else None

    sides = [statistics(side) for side in (real, *fakes)]
    try:
        results = [
            (f.name, score_statistics(sides[0], side, name)) for f, side in zip(fakes, sides[1:]) if sides[0] and side
        ]
    except ValueError as error:
        raise GandiagError(f"{error} (statistics file)") from None
    left = [m for m in metrics if m not in BY_STATISTICS]
    return results, [
        f"a file of mu and sigma gives the Frechet distance alone: {', '.join(left)} left out"
    ] if left else []
