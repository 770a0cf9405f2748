"""What happens between two steps: samples are kept, scores are recorded, checkpoints are written, the best one is remembered."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError

from gandiag.training.checkpoint import checkpoint_steps, prune_checkpoints, read_best, save_checkpoint, write_json
from gandiag.training.dataset import seeded
from gandiag.training.decision_field import decision_field
from gandiag.training.evaluation import Score, best_score, draw_samples
from gandiag.training.measuring import measure
from gandiag.training.players import latent_shape
from gandiag.training.preparation import Training
from gandiag.training.resume import state_of

if TYPE_CHECKING:
    from gandiag.recording import Recorder

SAMPLES_KEPT = 64  # of each kept batch: a grid of 8 x 8
POINTS_KEPT = 1000


def due(step: int, every: int) -> bool:
    """Whether something that comes every so many steps comes at this one; 0 is never."""
    return every > 0 and step % every == 0


def pause(training: Training, recorder: Recorder, *, last: bool, fresh: bool) -> None:
    """Keeps, evaluates and shows what is due at this step; after a resume the checkpoint is there already."""
    config, step = training.config, training.players.step
    if not training.processes.writes:
        return
    if fresh and step and (last or due(step, config.checkpoint_every)):
        _keep(training, recorder)
    if step == 0:
        _show_reals(training, recorder)
    if last or due(step, config.sample_every) or due(step, config.evaluate_every):
        with torch.random.fork_rng():  # what an evaluation draws at random is none of the training's
            _show_and_score(training, recorder, last=last)


def _show_and_score(training: Training, recorder: Recorder, *, last: bool) -> None:
    config, players, step = training.config, training.players, training.players.step
    kept = _kept(training)
    if not config.ema_images:
        players.generator_ema.load_state_dict(players.generator.state_dict())
    scoring = last or due(step, config.evaluate_every)
    fakes, labels = draw_samples(
        players.generator_ema,
        config.evaluation_samples if scoring else kept,
        draw_latent=training.draw_alone,
        seed=config.seed,
        device=training.device,
    )
    if last or due(step, config.sample_every):
        shown = None if labels is None else labels[:kept]
        recorder.record_samples(fakes[:kept], labels=shown, step=step, beside=decision_field(training))
    if scoring:
        _score(training, recorder, fakes)
        if config.measure:
            measure(training, recorder)


def _kept(training: Training) -> int:
    return SAMPLES_KEPT if training.data.kind == "images" else POINTS_KEPT


def _show_reals(training: Training, recorder: Recorder) -> None:
    data = training.shown
    chosen = torch.randperm(len(data), generator=seeded(training.config.seed, 0))[: _kept(training)]
    recorder.record_samples(
        data.batch(chosen), kind="real", labels=None if data.labels is None else data.labels[chosen], step=0
    )


def _score(training: Training, recorder: Recorder, fakes: torch.Tensor) -> None:
    """Records the scores of these fakes, and keeps the checkpoint when it is the best one so far."""
    config, step = training.config, training.players.step
    if training.evaluate is None:
        return
    if training.data.kind == "images" and not bool(torch.isfinite(fakes).all()):
        recorder.record_event("evaluation_skipped", why="the generator's samples are not finite")
        return
    evaluation = training.evaluate(fakes)
    scores = {
        name: value
        for name, value in evaluation.scores.items()
        if not config.metrics or name.split("[")[0] in config.metrics
    }
    recorder.record_evaluation(scores, protocol=evaluation.protocol, labels=evaluation.labels, step=step)
    score = best_score(config.best_by, training.data, evaluation.scores)
    if score is None and config.best_by != "auto" and step == 0:  # samples to come may have it: an early one lacks many
        warnings.warn(
            f"best_by names {config.best_by!r}, which the first evaluation does not give (it gives {', '.join(sorted(evaluation.scores))}): "
            "there is no best checkpoint until one does",
            RuntimeWarning,
            stacklevel=2,
        )
    if step and score is not None and is_better(read_best(recorder.path), score):
        if step not in checkpoint_steps(recorder.path):
            _keep(training, recorder)
        best = {"step": step, "score": score.name, "value": score.value, "better": score.better}
        with _tolerant(recorder):
            write_json(recorder.path / "checkpoints" / "best.json", best)
            prune_checkpoints(recorder.path, config.keep)


def is_better(best: dict[str, Any] | None, score: Score) -> bool:
    """Whether a score beats that of the best checkpoint so far; one of another name has nothing to compare with, and is taken."""
    if best is None or best.get("score") != score.name:
        return True
    return score.value < best["value"] if score.better == "lower" else score.value > best["value"]


def _keep(training: Training, recorder: Recorder) -> None:
    """Writes a checkpoint, and lets the oldest ones go."""
    players, config = training.players, training.config
    recorder.flush()
    modules = {"generator": players.generator, "discriminator": players.discriminator}
    if config.ema_images:
        modules["generator_ema"] = players.generator_ema
    state, facts = state_of(training, recorder), facts_of(training)
    with _tolerant(recorder):
        save_checkpoint(recorder.path, players.step, players=modules, state=state, facts=facts)
        prune_checkpoints(recorder.path, config.keep)


@contextmanager
def _tolerant(recorder: Recorder) -> Iterator[None]:
    """A disk that refuses a checkpoint costs that checkpoint and not the training: it is said, and the run goes on."""
    try:
        yield
    except (
        OSError,
        SafetensorError,
        RuntimeError,
    ) as error:  # torch.save says RuntimeError where a file cannot be written
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(
            f"no checkpoint was written in {recorder.path}: {why}; the training goes on", RuntimeWarning, stacklevel=2
        )
        recorder.record_event("checkpoint_failed", why=why)


def facts_of(training: Training) -> dict[str, Any]:
    """Returns what rebuilds the generator and says what it makes."""
    data = training.data
    return {
        "config": asdict(training.config),
        "shape": list(data.shape),
        "output": data.kind,
        "num_classes": training.num_classes,
        "latent_shape": list(latent_shape(training.config)),
        "latent": training.config.latent,
        "data": data.name,
        "data_hash": data.hash,
        "classes": None if data.classes is None else list(data.classes),
    }
