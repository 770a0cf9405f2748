"""Training: the reference harness. RECIPES, Config, train and load_generator; names are resolved lazily, recipes need no torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "Config": "gandiag.training.config",
    "effective_config": "gandiag.training.config",
    "RECIPES": "gandiag.training.recipes",
    "Recipe": "gandiag.training.recipes",
    "train": "gandiag.training.loop",
    "Outcome": "gandiag.training.loop",
    "Progress": "gandiag.training.loop",
    "load_generator": "gandiag.training.checkpoint",
    "load_checkpoint": "gandiag.training.checkpoint",
    "TrainedGenerator": "gandiag.training.checkpoint",
}

__all__ = [
    "RECIPES", "Config", "Outcome", "Progress", "Recipe", "TrainedGenerator", "effective_config", "load_checkpoint", "load_generator", "train",
]  # fmt: skip

if TYPE_CHECKING:
    from gandiag.training.checkpoint import TrainedGenerator, load_checkpoint, load_generator
    from gandiag.training.config import Config, effective_config
    from gandiag.training.loop import Outcome, Progress, train
    from gandiag.training.recipes import RECIPES, Recipe


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gandiag.training' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
