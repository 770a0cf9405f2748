"""What is measured of the game itself at an evaluation: weight spectra, held-out scores and, on request, the game's dynamics."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gandiag.recording.game import Batch, GanLoss, losses_on_logits
from gandiag.recording.measure import NotMeasurable, measure_game, measured_labels
from gandiag.training.checkpoint import Checkpoint, checkpoint_steps, load_checkpoint
from gandiag.training.data import Dataset
from gandiag.training.dataset import seeded
from gandiag.training.penalties import Shown
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import Training
from gandiag.training.schedule import parse_changes, settings_at
from gandiag.training.step import Rules, Settings

if TYPE_CHECKING:
    from gandiag.recording import Recorder

HELDOUT_SAMPLES = 1000  # of each side, or as many as there are
WITHOUT_THE_GAME = ("weights",)  # what calls no player


def measure(training: Training, recorder: Recorder) -> None:
    """Records what one step cannot tell of the game (see gandiag.recording.measure), on fixed batches and on copies.

    A packed discriminator takes several samples at once, and compiled players cannot be copied or differentiated twice: what needs
    that is then left out. Held-out scores take more samples than the rest, for their spread is that of the few that were held out.
    """
    players, config = training.players, training.config
    parts = [part for part in config.measure if (config.pack == 1 and not config.compile) or part in WITHOUT_THE_GAME]
    settings, start = (
        settings_now(training),
        _checkpoint_before(recorder.path, players.step) if "path" in parts else None,
    )
    losses = losses_on_logits(
        training.rules.loss.generator,
        training.rules.loss.discriminator,
        _penalty(training.rules, settings, config.seed),
    )
    series: dict[str, float | list[float]] = {}
    for some, count in (
        ([p for p in parts if p != "heldout"], config.batch),
        ([p for p in parts if p == "heldout"], HELDOUT_SAMPLES),
    ):
        reals, heldout = (_fixed_batch(training, data, settings, count) for data in (training.data, training.heldout))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotMeasurable)  # what is absent from the record is said to be not checked
            series |= (
                measure_game(
                    players.generator,
                    players.discriminator,
                    *losses,
                    _fixed_latents(training, count),
                    reals,
                    heldout=heldout,
                    parts=some,
                    step=settings.lr_g,
                    since=None if start is None else (start.weights["generator"], start.weights["discriminator"]),
                )
                if some and reals is not None
                else {}
            )
    known = measured_labels(players.generator, players.discriminator)
    if series:
        recorder.record_evaluation(
            series,
            protocol={"measure": parts, "batch": config.batch, "heldout_batch": HELDOUT_SAMPLES}
            | ({} if start is None else {"path_from": start.step}),
            step=players.step,
            labels={name: values for name, values in known.items() if name in series},
        )


def _checkpoint_before(run: Path, step: int) -> Checkpoint | None:
    """Returns the newest checkpoint of an earlier step, where the path to the present weights begins."""
    earlier = [s for s in checkpoint_steps(run) if s < step]
    return load_checkpoint(run, earlier[-1]) if earlier else None


def settings_now(training: Training) -> Settings:
    """Returns the settings of the step that the training has reached."""
    changes = parse_changes(training.config.changes)
    return as_settings(settings_at(training.players.step, initial_settings(training.config), changes))


def _fixed_latents(training: Training, count: int) -> Batch:
    latents, labels = training.draw_alone(count, torch.Generator(training.device).manual_seed(training.config.seed))
    return latents if labels is None else (latents, labels)


def _fixed_batch(training: Training, data: Dataset | None, settings: Settings, count: int) -> Batch | None:
    if data is None:
        return None
    chosen = torch.randperm(len(data), generator=seeded(training.config.seed, 1))[:count]
    samples = data.batch(chosen).to(training.device) * settings.data_scale + settings.data_offset
    return (
        samples
        if training.num_classes is None or data.labels is None
        else (samples, data.labels[chosen].to(training.device))
    )


def _penalty(rules: Rules, settings: Settings, seed: int) -> GanLoss | None:
    """Returns what the discriminator pays besides its loss, as a function of the players, None where it pays nothing."""
    if not rules.penalties or settings.gamma == 0:
        return None

    def penalty(generator: nn.Module, discriminator: nn.Module, latents: Batch, reals: Batch) -> Tensor:
        real, labels = (reals[0], reals[1]) if isinstance(reals, tuple) else (reals, None)
        fake = (generator(*latents) if isinstance(latents, tuple) else generator(latents)).detach()
        shown = Shown(
            discriminator,
            real,
            fake[: len(real)],
            real_labels=labels,
            fake_labels=latents[1][: len(real)] if isinstance(latents, tuple) else None,
            random=torch.Generator(real.device).manual_seed(seed),
        )
        return settings.gamma * torch.stack([p.value(shown) for p in rules.penalties]).sum()

    return penalty
