"""prepare: from a configuration to a training that is built and ready: data, players, rules, and how it is evaluated."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from gandiag.errors import UsageError
from gandiag.metrics.quality import Evaluation
from gandiag.training.combinations import refuse_for_data, refuse_for_players, refuse_for_processes, refuse_settings
from gandiag.training.config import Config, as_read
from gandiag.training.data import Dataset, Sampler, hold_out, load_data
from gandiag.training.dataset import subset
from gandiag.training.evaluation import make_evaluation
from gandiag.training.fitting import require_fit
from gandiag.training.players import (
    LatentSource,
    batch_normalised,
    build_players,
    build_rules,
    build_update,
    choose_device,
    latent_source,
)
from gandiag.training.processes import Processes, join_processes
from gandiag.training.step import Players, Rules, UpdateOfPlayers

CUBLAS_WORKSPACE = (
    "CUBLAS_WORKSPACE_CONFIG",
    ":4096:8",
)  # without it torch refuses matrix products on CUDA where deterministic algorithms are asked for


@dataclass(frozen=True)
class Training:
    """All that a configuration stands for, built and ready: data, players and rules."""

    config: Config
    data: Dataset
    heldout: Dataset | None
    shown: Dataset  # the data as they are displayed and scored against: see as_displayed
    sampler: Sampler
    players: Players
    rules: Rules
    update: UpdateOfPlayers
    num_classes: int | None
    device: torch.device
    processes: Processes
    evaluate: Callable[[torch.Tensor], Evaluation] | None
    draw_alone: LatentSource  # latents for samples and scores, of this process alone


def prepare(config: Config) -> Training:
    """Builds everything and trains nothing; raises UsageError for what does not fit together: a batch larger than the data, no such device ..."""
    config = as_read(config)
    refuse_settings(config)
    processes, device = join_processes(choose_device(config.device))
    refuse_for_processes(config, processes.world)
    if config.deterministic:
        os.environ.setdefault(*CUBLAS_WORKSPACE)
        torch.use_deterministic_algorithms(True)
    if config.threads:
        torch.set_num_threads(config.threads)
    data, heldout = load_split(config)
    refuse_for_data(config, data)
    num_classes = _classes(data) if config.conditional else None
    sampler = Sampler(
        data,
        config.batch,
        seed=config.seed,
        device=device,
        rank=processes.rank,
        world=processes.world,
        workers=config.workers,
    )
    shown = as_displayed(data, scale=config.data_scale, offset=config.data_offset)
    players = build_players(config, shape=data.shape, num_classes=num_classes, device=device, rank=processes.rank)
    rules = build_rules(
        config,
        data=data,
        sampler=sampler,
        num_classes=num_classes,
        device=device,
        processes=processes,
        batch_statistics=batch_normalised(players.generator),
    )
    draw_alone = latent_source(config, data=data, num_classes=num_classes, device=device, processes=Processes())
    refuse_for_players(config, players, processes=processes.world)
    require_fit(players, config, data=data, draw=draw_alone)
    evaluate = None
    if processes.writes:  # last, for it can take seconds: what does not fit together has been said by now
        with torch.random.fork_rng():  # what training a classifier draws at random is none of the training's
            evaluate = make_evaluation(shown, features=config.features, count=config.evaluation_samples)
    return Training(
        config,
        data,
        heldout,
        shown,
        sampler,
        players,
        rules,
        build_update(config),
        num_classes,
        device,
        processes,
        evaluate,
        draw_alone,
    )


def load_split(config: Config) -> tuple[Dataset, Dataset | None]:
    """Returns the data that is trained on, and what is held out."""
    whole = load_data(config.data, imbalance=config.imbalance, resolution=config.resolution, on_bad=config.on_bad)
    data, heldout = hold_out(whole, share=config.heldout) if config.heldout else (whole, None)
    if config.samples is not None and not data.endless:
        data = subset(data, torch.arange(min(config.samples, len(data))))
    return data, heldout


def as_displayed(data: Dataset, *, scale: float, offset: float) -> Dataset:
    """Returns the data as samples are displayed and scored beside them: points as the discriminator is shown them, images as they are.

    Points have no range of their own, so that their scale and offset are the data's. Images are displayed from [-1, 1] whatever the
    discriminator is shown, and a generator that has learned something else is seen and scored as what it makes.
    """
    if data.kind == "images" or (scale, offset) == (1.0, 0.0):
        return data
    return replace(
        data,
        samples=data.samples * scale + offset,
        modes=None if data.modes is None else data.modes * scale + offset,
        mode_sd=None if data.mode_sd is None else data.mode_sd * abs(scale),
        endless=False,
        facts={**data.facts, "scale": scale, "offset": offset},
    )


def _classes(data: Dataset) -> int:
    if data.num_classes is None:
        raise UsageError(f"conditional=true needs labelled data, and {data.name} has no labels")
    return data.num_classes
