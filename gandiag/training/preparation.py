"""prepare: from a configuration to a training that is built and ready: data, players, rules, and how it is evaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from gandiag.errors import UsageError, did_you_mean
from gandiag.metrics.quality import Evaluation
from gandiag.recording.measure import PARTS
from gandiag.training.alarms import known_checks
from gandiag.training.config import Config
from gandiag.training.data import Dataset, Sampler, hold_out, load_data
from gandiag.training.dataset import subset
from gandiag.training.evaluation import make_evaluation
from gandiag.training.players import (
    LatentSource,
    build_players,
    build_rules,
    build_update,
    choose_device,
    latent_source,
)
from gandiag.training.processes import Processes, join_processes
from gandiag.training.schedule import parse_changes
from gandiag.training.step import Players, Rules, UpdateOfPlayers


@dataclass(frozen=True)
class Training:
    """All that a configuration stands for, built and ready: data, players and rules."""

    config: Config
    data: Dataset
    heldout: Dataset | None
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
    parse_changes(config.changes)
    known_checks(config.stop_on)
    unknown = [name for name in config.measure if name not in PARTS]
    if unknown:
        raise UsageError(
            f"measure names {unknown[0]!r}, which is no part of it{did_you_mean(unknown[0], PARTS)}; there are {', '.join(PARTS)}"
        )
    processes, device = join_processes(choose_device(config.device))
    if config.deterministic:
        torch.use_deterministic_algorithms(True)
    if config.compile and config.update in ("consensus", "unrolled"):
        raise UsageError(
            f"the update {config.update} differentiates twice, which compiled code cannot: leave compile out"
        )
    if config.threads:
        torch.set_num_threads(config.threads)
    data, heldout = load_split(config)
    num_classes = _classes(data) if config.conditional else None
    sampler = Sampler(data, config.batch, seed=config.seed, device=device, rank=processes.rank, world=processes.world)
    # before the players: what loading a classifier draws at random is drawn before the training's own seed is set
    evaluate = (
        make_evaluation(data, features=config.features, count=config.evaluation_samples) if processes.writes else None
    )
    players = build_players(config, shape=data.shape, num_classes=num_classes, device=device, rank=processes.rank)
    rules = build_rules(config, data=data, sampler=sampler, num_classes=num_classes, device=device, processes=processes)
    draw_alone = latent_source(config, data=data, num_classes=num_classes, device=device, processes=Processes())
    return Training(
        config,
        data,
        heldout,
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


def _classes(data: Dataset) -> int:
    if data.num_classes is None:
        raise UsageError(f"conditional=true needs labelled data, and {data.name} has no labels")
    return data.num_classes
