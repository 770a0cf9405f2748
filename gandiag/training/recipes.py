"""RECIPES: every training of the mission as data, a flat set of changes to the default configuration."""

from __future__ import annotations

from typing import Any

from gandiag.errors import UsageError, did_you_mean
from gandiag.training.recipe import Recipe
from gandiag.training.recipes_baselines import BASELINES
from gandiag.training.recipes_bench import CONTROLS, PATHOLOGIES
from gandiag.training.recipes_texts import TEXTS

__all__ = ["DEFAULT_RECIPE", "RECIPES", "Recipe", "recipe_overrides"]

DEFAULT_RECIPE = "mlp"

_DEFAULT = {
    "mlp": Recipe(
        "MLP pair, non-saturating loss with R1: healthy on digits in under a minute (the default)", {}, "healthy"
    ),
}

RECIPES: dict[str, Recipe] = {**_DEFAULT, **TEXTS, **BASELINES, **CONTROLS, **PATHOLOGIES}


def recipe_overrides(name: str) -> dict[str, Any]:
    """Returns what a recipe changes; raises UsageError with the nearest name where there is none of that name."""
    if name not in RECIPES:
        raise UsageError(
            f"there is no recipe {name!r}{did_you_mean(name, list(RECIPES))}; `gandiag recipes` lists them"
        )
    return dict(RECIPES[name].overrides)
