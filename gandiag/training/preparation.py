"""prepare: from a configuration to a training that is built and ready: data, players, rules, and how it is evaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from gandiag.errors import UsageError
from gandiag.metrics.quality import Evaluation
from gandiag.training.alarms import known_checks
from gandiag.training.config import Config
from gandiag.training.data import Dataset, Sampler, hold_out, load_data
from gandiag.training.dataset import subset
from gandiag.training.evaluation import make_evaluation
from gandiag.training.players import build_players, build_rules, build_update, choose_device
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


def prepare(config: Config) -> Training:
    """Builds everything and trains nothing; raises UsageError for what does not fit together: a batch larger than the data, no such device ..."""
    parse_changes(config.changes)
    known_checks(config.stop_on)
    processes, device = join_processes(choose_device(config.device))
    if config.deterministic:
        torch.use_deterministic_algorithms(True)
    data = load_data(config.data, imbalance=config.imbalance, resolution=config.resolution, on_bad=config.on_bad)
    data, heldout = hold_out(data, share=config.heldout) if config.heldout else (data, None)
    if config.samples is not None and not data.endless:
        data = subset(data, torch.arange(min(config.samples, len(data))))
    num_classes = _classes(data) if config.conditional else None
    sampler = Sampler(data, config.batch, seed=config.seed, device=device, rank=processes.rank, world=processes.world)
    players = build_players(config, shape=data.shape, num_classes=num_classes, device=device)
    rules = build_rules(config, data=data, sampler=sampler, num_classes=num_classes, device=device, processes=processes)
    evaluate = make_evaluation(data, features=config.features, count=config.evaluation_samples) if processes.writes else None
    return Training(config, data, heldout, sampler, players, rules, build_update(config), num_classes, device, processes, evaluate)


def _classes(data: Dataset) -> int:
    if data.num_classes is None:
        raise UsageError(f"conditional=true needs labelled data, and {data.name} has no labels")
    return data.num_classes
