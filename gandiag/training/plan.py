"""Plan: what a command asked to be trained, with which configuration and where to; also which folder a new run gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gandiag.errors import UsageError
from gandiag.run import load_run
from gandiag.training.config import FIELDS, Config, check_config, effective_config, known_field, read_value
from gandiag.training.recipes import DEFAULT_RECIPE

# What a run is built from: other values for these would be another run and no continuation.
BUILT_IN = (
    "data",
    "resolution",
    "imbalance",
    "samples",
    "heldout",
    "on_bad",
    "generator",
    "discriminator",
    "generator_width",
    "discriminator_width",
    "generator_depth",
    "discriminator_depth",
    "spectral_norm",
    "latent",
    "latent_size",
    "conditional",
    "pack",
    "seed",
    "batch",
    "optimizer_g",
    "optimizer_d",
    "beta1",  # the optimizers' state brings these along
    "beta2",
    "weight_decay",
    "penalty_every",
)
_RUN_NAME = re.compile(r"^(\d{5,})-")


@dataclass(frozen=True)
class Plan:
    """A training that was asked for: `path` is where its run goes, `sources` says where each value came from."""

    config: Config
    sources: dict[str, str]
    recipe: str
    path: Path
    resume: bool


def plan_new(
    *,
    recipe: str | None,
    file: Mapping[str, Any],
    environment: Mapping[str, str],
    flags: Mapping[str, Any],
    settings: Mapping[str, str],
    out: str | None,
    outdir: str,
) -> Plan:
    """Plans a new run: in `out`, or in the next free folder NNNNN-recipe-data under `outdir`; nothing is made yet."""
    values = dict(file)
    from_file = values.pop("recipe", None)
    name = next((given for given in (recipe, from_file) if given is not None), DEFAULT_RECIPE)
    values.pop("recipe", None)
    if not isinstance(name, str):
        raise UsageError(f"recipe must be a name, not {name!r}")
    config, sources = effective_config(name, file=values, environment=environment, flags=flags, settings=settings)
    path = Path(out) if out else next_folder(Path(outdir), name, config.data)
    return Plan(config, sources, name, path, resume=False)


def plan_resume(
    path: str, *, flags: Mapping[str, Any], settings: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> Plan:
    """Plans the continuation of a run with its own configuration, but for what flags, --set and the environment change.

    Raises UsageError where that is built in.
    """
    from gandiag.training.checkpoint import config_from, named_step

    run = load_run(path)
    saved = run.about.get("config")
    if not isinstance(saved, dict):
        raise UsageError(f"{path} was not trained by `gandiag run`: it can be reported and checked, but not resumed")
    config = config_from(saved)
    sources = {
        **dict.fromkeys(FIELDS, "default"),
        **{k: v for k, v in (run.about.get("config_sources") or {}).items() if k in FIELDS},
    }
    for source, given in (("environment", environment or {}), ("set", settings), ("flag", flags)):
        for name, value in given.items():
            new: Any = read_value(known_field(name), value)
            if name in BUILT_IN and new != getattr(config, name):
                asked = f" (GANDIAG_RUN_{name.upper()}={new})" if source == "environment" else ""
                raise UsageError(
                    f"{name} is built into {path} ({getattr(config, name)!r}): a resumed run keeps it; start a new run for {new!r}{asked}"
                )
            changed: dict[str, Any] = {name: new}
            config, sources[name] = replace(config, **changed), source
    last = named_step(Path(path), "last") or 0
    if run.about.get("status") == "finished" and last >= config.steps:
        raise UsageError(f"{path} has its {last} steps: give more with --steps to go on")
    return Plan(check_config(config), sources, str(run.about.get("recipe", DEFAULT_RECIPE)), Path(path), resume=True)


def next_folder(outdir: Path, recipe: str, data: str) -> Path:
    """Returns runs/NNNNN-recipe-data with the next free number."""
    taken = [
        int(m[1]) for m in (_RUN_NAME.match(entry.name) for entry in (outdir.iterdir() if outdir.is_dir() else ())) if m
    ]
    return outdir / f"{max(taken, default=-1) + 1:05d}-{slug(recipe)}-{slug(short_name(data))}"


def short_name(data: str) -> str:
    """Returns a short name of what --data names: digits, ring, mnist, or the folder's or file's own name."""
    source, _, rest = data.partition(":")
    return source if rest and len(source) > 1 else Path(data).stem or data


def slug(text: str) -> str:
    """Returns a text that can stand in a file name."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:60] or "data"
