"""What a user's own evaluation of the benchmark's trainings would record: modes, distances, D on held-out reals, and kept samples."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.diagnosis_case import Case
from benchmarks.diagnosis_labels import IMAGES, histogram, latents, sample
from benchmarks.diagnosis_mixtures import mixture
from benchmarks.diagnosis_world import TINT, Source, digits, squashed


def evaluate(case: Case, seed: int, step: int, g: nn.Module, d: nn.Module, source: Source, recorder: Any) -> None:
    """Records what a user's own evaluation would: the modes by the mixture or, on digits, by a linear classifier; distances; D on held-out reals."""
    fakes = sample(g, case, 77_000 + seed + step, 1000)
    if not np.isfinite(fakes).all():
        return
    scores: dict[str, Any] = {}
    if case.data in IMAGES:
        images = digits(28 if case.data == "digits28" else 8)[0][:1000]
        reals = (coloured(images) if case.data == "colour" else images).flatten(1).numpy()
        name, counts = "pixels", np.bincount(classifier(case.data).predict(fakes), minlength=10)
        if case.data == "digits" and not case.scale and not case.conditional:
            scores = on_held_out(case, d, source, fakes)
    else:
        reals = mixture(case.data).numpy(1000, 5) + case.shift
        counts, scores["high_quality_share"] = histogram(case, fakes)
        name = "points"
    scores |= {
        f"frechet_distance[{name}]": frechet(reals, fakes),
        "modes_total": len(counts),
        "modes_covered": int((counts >= 8).sum()),
        "mode_histogram": (counts / max(1, counts.sum())).tolist(),
    }
    if len(set(mixture(case.data).shares)) > 1 if case.data not in IMAGES else False:
        scores["data_mode_histogram"] = mixture(case.data).shares.tolist()
    recorder.record_evaluation(scores, protocol={"features": name, "count": 1000}, step=step)


def keep_samples(case: Case, step: int, g: nn.Module, source: Source, recorder: Any) -> None:
    """Keeps what a user would keep for the eye: reals with their labels at the beginning, and of conditional generators fakes of known class."""
    if step == 0 and case.data == "colour" and source.pool is not None:
        recorder.record_samples(source.pool[:64], kind="real")  # as they are displayed and scored
    if not case.conditional:
        return
    assert source.pool is not None
    assert source.labels is not None
    if step == 0:
        recorder.record_samples(source.pool[:1000], kind="real", labels=source.labels[:1000])
    if (step + 1) % 200 == 0:
        z, classes = latents(case, 300, torch.Generator().manual_seed(step))
        with torch.no_grad():
            recorder.record_samples(g(z), kind="fake", labels=classes, step=step)


def coloured(grey: Tensor) -> Tensor:
    """Returns grey images (n, 1, h, w) as coloured ones."""
    return (grey + 1) * torch.tensor(TINT)[:, None, None] - 1


def on_held_out(case: Case, d: nn.Module, source: Source, fakes: np.ndarray) -> dict[str, float]:
    """Scores of learning by heart: D on held-out reals, and how near the fakes lie to what was trained on."""
    from gandiag.metrics.memorisation import authenticity, copying_z
    from gandiag.recording.heldout import heldout_scores

    assert source.pool is not None
    train, held = source.pool[:300], digits(8)[1]
    fake = torch.as_tensor(fakes[:300]).reshape(-1, 1, 8, 8)
    kept = {k: v.clone() for k, v in d.state_dict().items()}
    with torch.no_grad():
        outputs = [as_logit(case, d(x)).flatten() for x in (train, held, fake)]
    d.load_state_dict(kept)  # batch normalisation has looked at these batches
    flat = [x.flatten(1).numpy() for x in (train, held, fake)]
    scores = heldout_scores(*outputs) if all(bool(torch.isfinite(o).all()) for o in outputs) else {}
    nearest = [np.median(np.sqrt(((a[:, None] - flat[0][None]) ** 2).sum(-1)).min(1)) for a in (flat[2], flat[1])]
    return {
        **scores,
        "nearest_real_distance": float(nearest[0] / nearest[1]),
        "authenticity": float(authenticity(flat[0], flat[2])),
        "copying_z": float(copying_z(flat[0], flat[1], flat[2], cells=1)),
    }


def as_logit(case: Case, output: Tensor) -> Tensor:
    """Returns logits of what D's last layer gives."""
    return torch.logit(output.clamp(1e-7, 1 - 1e-7)) if squashed(case) else output


@cache
def classifier(data: str) -> Any:
    """A linear classifier of the training images, for the recorded evaluations only: it gives every image a class, noise too."""
    from sklearn.linear_model import LogisticRegression

    train, _, classes, _ = digits(28 if data == "digits28" else 8)
    images = coloured(train) if data == "colour" else train
    return LogisticRegression(max_iter=200).fit(images.flatten(1).numpy(), classes)


def frechet(real: np.ndarray, fake: np.ndarray) -> float:
    """The Frechet distance of two sets of features."""
    s1, s2 = (np.atleast_2d(np.cov(x.T)) for x in (real, fake))
    eigenvalues = np.linalg.eigvals(s1 @ s2)
    root = np.sqrt(np.clip(eigenvalues.real, 0, None)).sum()
    return float(((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * root)
