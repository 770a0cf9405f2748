"""What was asked for and changes nothing, because another setting keeps it from being looked at: said, so that nobody waits for its effect."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence

from gandiag.errors import UsageError
from gandiag.training.config import FIELDS, Config, effective_config
from gandiag.training.plugins import load_function, looks_like_function
from gandiag.training.schedule import parse_changes

Why = Callable[[Config], str]  # why a setting has no effect, an empty text where it has one


def without_effect(config: Config, sources: Mapping[str, str]) -> list[str]:
    """Returns a sentence for each setting that was asked for and changes nothing in this configuration.

    A recipe's own values are not looked at, nor those of a config file that holds most settings: that is a printed configuration.
    """
    printed = list(sources.values()).count("config file") > len(FIELDS) // 2
    asked_for = ("flag", "set", "environment", *(() if printed else ("config file",)))
    found = []
    for name, why in IDLE.items():
        value = getattr(config, name)
        reason = why(config) if sources.get(name) in asked_for and value is not None else ""
        if reason:
            found.append(f"{name}={value} has no effect: {reason}")
    return found


def idle_everywhere(grid: Mapping[str, Sequence[str]], recipe: str, settings: Mapping[str, str]) -> list[str]:
    """Returns a sentence for each setting that changes nothing in any cell of a sweep: an axis that is one, say."""
    found: list[dict[str, str]] = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, (value.split("..")[0] for value in values)))
        try:
            config, sources = effective_config(recipe, settings={**settings, **chosen})
        except UsageError:
            return []  # the sweep itself says what cannot be
        found.append({sentence.partition("=")[0]: sentence for sentence in without_effect(config, sources)})
    return [sentence for name, sentence in found[0].items() if all(name in cell for cell in found)]


def _unless(setting: str, *values: str) -> Why:
    """It is looked at only where another setting has one of these values."""
    return lambda config: "" if getattr(config, setting) in values else f"{setting} is {getattr(config, setting)}"


def _of_penalties(config: Config) -> str:
    return "" if config.penalties else "penalties is empty; --set penalties=r1 has one"


def _of_the_average(config: Config) -> str:
    return "" if config.ema_images else "ema_images is 0, so that there is no moving average"


def _of_second_moments(config: Config) -> str:
    return "both optimizers are sgd" if config.optimizer_g == config.optimizer_d == "sgd" else ""


def _of_penalty_weight(config: Config) -> str:
    changed = any(change.name == "gamma" for change in parse_changes(config.changes))
    return "gamma is 0" if config.penalties and config.gamma == 0 and not changed else ""


def _of_changes(config: Config) -> str:
    changes = parse_changes(config.changes)
    late = changes and all(change.begin >= config.steps for change in changes)
    return f"the run ends after {config.steps} steps, before the first of them" if late else ""


def _of_a_function(player: str) -> Why:
    """A width goes to a network of the user's own where its function names it."""

    def why(config: Config) -> str:
        spec = str(getattr(config, player))
        if not looks_like_function(spec):
            return ""
        try:
            parameters = inspect.signature(load_function(spec)).parameters.values()
        except (TypeError, ValueError):
            return ""
        taken = any(p.name == "width" or p.kind is p.VAR_KEYWORD for p in parameters)
        return "" if taken else f"{spec} takes no argument `width`"

    return why


IDLE: dict[str, Why] = {
    "gamma": _of_penalties,
    "penalty_every": _of_penalties,
    "penalties": _of_penalty_weight,
    "augmentation_probability": _unless("augmentation", "diffaugment"),
    "augmentation_target": _unless("augmentation", "ada"),
    "first": _unless("update", "alternating"),
    "unroll": _unless("update", "unrolled"),
    "consensus": _unless("update", "consensus"),
    "lookahead_every": _unless("update", "lookahead"),
    "lookahead_share": _unless("update", "lookahead"),
    "ema_ramp": _of_the_average,
    "beta2": _of_second_moments,
    "changes": _of_changes,
    "generator_width": _of_a_function("generator"),
    "discriminator_width": _of_a_function("discriminator"),
}
