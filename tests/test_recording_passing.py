"""Reals that are shown under noise which fades are other ones in the end: scores are against those of the time, and compared only with their like."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gandiag.diagnosis.evidence import evidence
from gandiag.recording.passing import FAKES, OF_A_STEP, Passing
from gandiag.recording.step import Step
from gandiag.run import RunWriter, load_run

BATCH = 64


class Book:
    """Where `Passing` hands over what it found of a game whose fakes are changed on the way to D."""

    writes = shows_changed_fakes = True
    last_fakes: tuple[Tensor, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[str] = []
        self.scores: list[dict[str, Any]] = []
        self.samples: list[tuple[str, int]] = []

    def record_event(self, kind: str, **_: Any) -> None:
        self.events.append(kind)

    def record_evaluation(self, scores: dict[str, Any], **_: Any) -> None:
        self.scores.append(scores)

    def record_samples(self, _: Any, *, kind: str, step: int) -> None:
        self.samples.append((kind, step))

    def tell(self, _: str) -> None:
        pass


def played(path: Path, noise: list[float]) -> Book:
    """Evaluates after 33 under the first noise, and after as many under each other one. The game is always won by G."""
    torch.manual_seed(0)
    feed = SimpleNamespace(kinds=(), draw=lambda n, random: ((torch.zeros(n, 3),), {}))
    book, watch = Book(path), Passing(nn.Linear(3, 2), feed)  # type: ignore[arg-type]
    watch.recorder = book
    index = 0
    for sd in noise:
        for _ in range(FAKES // OF_A_STEP + 1):
            real, fake = (0.2 * torch.randn(BATCH, 2) + sd * torch.randn(BATCH, 2) for _ in range(2))
            watch.keep(Step(index, real=real, fake=fake))
            index += 1
        watch.evaluate(index)
    return book


def distance(scores: dict[str, Any], what: str = "") -> float:
    return float(scores[f"frechet_distance{what}[values]"])


def test_scores_follow_reals_whose_noise_fades(tmp_path: Path) -> None:
    book = played(tmp_path, [1.0, 0.5, 0.0])
    assert book.events == ["reference_changed"] * 2
    assert all(distance(s, "_low") <= 2 * distance(s, "_floor") for s in book.scores)  # the same law at every time
    assert [kind for kind, _ in book.samples].count("real") == 3


def test_steady_noise_keeps_the_reals_that_are_scored_against(tmp_path: Path) -> None:
    book = played(tmp_path, [0.5, 0.5, 0.5])
    assert book.events == []
    assert [kind for kind, _ in book.samples].count("real") == 1


def test_scores_against_other_reals_are_not_compared(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", {}) as writer:
        writer.append("every-1", np.arange(400), {"discriminator_loss": np.ones(400)})
        for step, value in ((50, 0.1), (100, 5.0), (200, 3.0), (300, 2.0)):
            if step == 200:
                writer.record("events", {"step": 199, "event": "reference_changed"})
            scores = {"frechet_distance[values]": value, "mode_histogram": [0.5, 0.5]}
            record = {"step": step, "scores": scores, "labels": {"mode_histogram": ["a", "b"]}, "protocol": {}}
            writer.record("evaluations", record)
    e = evidence(load_run(tmp_path / "run"))
    assert e["frechet_distance"].to_list() == [3.0, 2.0]
    assert e.layers("mode_histogram").index.to_list() == [200, 300]
    assert len(e["discriminator_loss"]) == 400
