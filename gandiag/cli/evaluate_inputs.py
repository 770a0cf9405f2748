"""What `gandiag evaluate` is given, turned into features: image sets, runs, exported models, statistics; and the scores of all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics.array_files import read_statistics
from gandiag.metrics.cache import cached_features, content_hash, keep_features
from gandiag.metrics.features import Features, load_features, to_uint8
from gandiag.metrics.frechet import FrechetStatistics, frechet_statistics, statistics_of_gaussian
from gandiag.metrics.image_set import ImageSource
from gandiag.metrics.quality import Evaluation, Reference
from gandiag.metrics.scoring import BY_STATISTICS, chosen_metrics, score_features, score_statistics
from gandiag.metrics.sources import open_images

if TYPE_CHECKING:
    from torch import Tensor

Progress = Callable[..., None]
DRAW = 64  # generated images at a time
MOST_GENERATED = 10_000  # fakes of a generator where no count was given
KNOWN_SHARE = 0.9  # `auto` takes the digits-cnn where it finds this share of the reals' own labels
LOOKED_AT = 1000
ANY_SHAPE = ("digits-cnn", "inception-", "dinov2", "clip")  # features that bring images to a size and colour of their own


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


@dataclass(frozen=True, eq=False)
class Given:
    """One side: an image set, a generator's images drawn when they are read, or statistics alone."""

    name: str
    images: ImageSource | None = None
    statistics: FrechetStatistics | None = None


def evaluate(request: Request, progress: Progress) -> tuple[list[tuple[str, Evaluation]], list[str]]:
    """Returns each fake's evaluation and notes in words; raises UsageError or GandiagError where something cannot be scored."""
    metrics = chosen_metrics(request.metrics)
    real = open_side(request.real, request, of_reals=True)
    fakes = [open_side(uri, request, like=real.images) for uri in request.fakes]
    if real.statistics is not None or any(f.statistics is not None for f in fakes):
        return _by_statistics(real, fakes, request, metrics, progress)
    assert real.images is not None
    features = choose_features(
        open_images(request.real, size=request.size), request
    )  # on all reals, however many are then scored
    notes = _make_alike(fakes)
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
        return Given(uri, _of_run(path, count, request))
    if not of_reals and (path / "manifest.json").is_file():
        return Given(uri, _of_bundle(path, count, request))
    if not of_reals and path.suffix == ".onnx":
        return Given(uri, _of_onnx(path, count, request))
    source = open_images(uri, size=request.size)
    return Given(uri, source if request.count is None else source.thinned(request.count, request.seed))


def extract(images: ImageSource, features: Features, request: Request, progress: Progress) -> np.ndarray:
    """Returns features (n, d) float64 of all images, from the cache where they are in it; memory for one batch of images."""
    task = f"{images.name}: {features.name} features of {images.count} images"
    progress(task, 0, images.count)
    key = content_hash(images.batches()) if request.cache else ""
    kept = cached_features(key, features.fingerprint) if request.cache else None
    if kept is not None and len(kept) == images.count:
        return kept.astype(np.float64)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts, done = [], 0
    for batch in images.batches():
        parts.append(features.extract(batch.to(device)).cpu())
        done += len(batch)
        progress(task, done, images.count)
    found = torch.cat(parts)
    if request.cache:
        keep_features(key, features.fingerprint, found)
    return found.double().numpy()


def choose_features(real: ImageSource, request: Request) -> Features:
    """Returns the features of that name; `auto` is the digits-cnn for digits, a classifier for other labelled reals, else random-conv."""
    if request.features == "classifier" or (
        request.features == "auto" and real.labels is not None and not _are_digits(real)
    ):
        if real.labels is None:
            raise UsageError(
                f"the classifier features need labelled reals, and {real.name} has none: give class subfolders, or other features"
            )
        from gandiag.metrics.classifier import classifier_features

        return classifier_features(real.images(), real.labels, names=real.classes or None, seed=0)
    name = (
        request.features if request.features != "auto" else ("digits-cnn" if real.labels is not None else "random-conv")
    )
    return load_features(name, weights=request.weights)


def _are_digits(real: ImageSource) -> bool:
    assert real.labels is not None
    features = load_features("digits-cnn")
    if len(set(real.labels.tolist())) != len(features.classes) or features.probabilities is None:
        return False
    at = np.random.default_rng(0).permutation(real.count)[:LOOKED_AT].tolist()
    found = features.probabilities(features.extract(real.read(at))).argmax(1).numpy()
    return bool((found == real.labels[at]).mean() >= KNOWN_SHARE)


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

    def statistics(side: Given) -> FrechetStatistics:
        if side.statistics is not None:
            return side.statistics
        assert features is not None
        return frechet_statistics(extract(_images(side), features, request, progress))

    ours = statistics(real)
    try:
        results = [(f.name, score_statistics(ours, statistics(f), name)) for f in fakes]
    except ValueError as error:
        raise GandiagError(f"{error} (statistics file)") from None
    left = [m for m in metrics if m not in BY_STATISTICS]
    return results, [
        f"a file of mu and sigma gives the Frechet distance alone: {', '.join(left)} left out"
    ] if left else []


# -------------------------------------------------------------------------------------------------------------- generators


def _of_run(path: Path, count: int, request: Request) -> ImageSource:
    from gandiag.training.checkpoint import load_generator

    which: str | int = int(request.checkpoint) if request.checkpoint.isdigit() else request.checkpoint
    trained = load_generator(path, which)
    if trained.output != "images":
        raise UsageError(f"{path} makes points, not images: its scores against its own mixture are in its report")
    random = torch.Generator().manual_seed(request.seed)

    def draw() -> Iterator[Tensor]:
        for start in range(0, count, DRAW):
            n = min(DRAW, count - start)
            shape = (n, *trained.latent_shape)
            z = (
                2 * torch.rand(shape, generator=random) - 1
                if trained.latent == "uniform"
                else torch.randn(shape, generator=random)
            )
            with torch.no_grad():
                labels = torch.arange(start, start + n) % trained.num_classes if trained.num_classes else None
                yield to_uint8(trained.module(z) if labels is None else trained.module(z, labels))

    return _drawn(f"{path}", torch.cat(list(draw())), request)


def _of_bundle(path: Path, count: int, request: Request) -> ImageSource:
    from gandiag.export.files import open_bundle

    bundle = open_bundle(path)
    if bundle.contract.kind != "images":
        raise UsageError(f"{path} makes points, not images")
    found = torch.from_numpy(bundle.sample(count, seed=request.seed))
    if found.dtype == torch.uint8:
        return _drawn(str(path), found.permute(0, 3, 1, 2), request)
    low, high = bundle.contract.value_range
    return _drawn(str(path), to_uint8((found - low) / (high - low) * 2 - 1), request)


def _of_onnx(path: Path, count: int, request: Request) -> ImageSource:
    """A bare model: one float input whose first axis is the batch, normal latents, images in [-1, 1]; `label` in turn where it is asked."""
    from gandiag.export.session import open_session

    if not path.is_file():
        raise UsageError(f"{path} is no file")
    session = open_session(path.read_bytes(), "auto")
    inputs = {i.name: i for i in session.runtime.get_inputs()}
    latent = next((i for i in inputs.values() if i.type == "tensor(float)"), None)
    if latent is None or any(not isinstance(n, int) for n in latent.shape[1:]) or not latent.shape[1:]:
        found = ", ".join(f"{i.name} {i.shape}" for i in inputs.values())
        raise GandiagError(f"{path} has the inputs {found}; one float input z (n, ...) of fixed size was expected")
    random, made = np.random.default_rng(request.seed), []
    classes = _classes_of(session.runtime)
    for start in range(0, count, DRAW):
        n = min(DRAW, count - start)
        feed: dict[str, Any] = {latent.name: random.standard_normal((n, *latent.shape[1:])).astype(np.float32)}
        feed |= {
            name: np.arange(start, start + n, dtype=np.int64) % classes
            for name, i in inputs.items()
            if i.type == "tensor(int64)"
        }
        made.append(_run(session.runtime, feed, path))
    images = torch.from_numpy(np.concatenate(made))
    if images.ndim != 4:
        raise GandiagError(f"{path} makes an output of shape {tuple(images.shape)}; images (n, c, h, w) were expected")
    in_rows = images.dtype == torch.uint8 and images.shape[3] in (1, 3)
    return _drawn(str(path), images.permute(0, 3, 1, 2) if in_rows else to_uint8(images), request)


def _run(runtime: Any, feed: dict[str, Any], path: Path) -> np.ndarray:
    try:
        return np.asarray(runtime.run(None, feed)[0])
    except Exception as error:  # onnxruntime's own types share no base but Exception
        raise GandiagError(
            f"{path} failed on a batch of {len(next(iter(feed.values())))} latents ({str(error).splitlines()[0][:160]})"
        ) from None


def _classes_of(runtime: Any) -> int:
    given = runtime.get_modelmeta().custom_metadata_map.get("num_classes", "")
    return int(given) if given.isdigit() and int(given) else 1


def _drawn(name: str, images: Tensor, request: Request) -> ImageSource:
    """Generated images as an image set, brought to the asked size like all others."""
    from gandiag.metrics.image_set import sized_to

    kept = images.contiguous()
    source = ImageSource(
        name, len(kept), (int(kept.shape[1]), int(kept.shape[2]), int(kept.shape[3])), lambda at: kept[list(at)]
    )
    return sized_to(source, request.size)
