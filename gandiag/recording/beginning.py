"""How a recording begins: its table of probes, and where a run that is continued stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from gandiag.errors import NotRecorded, UsageError, did_you_mean
from gandiag.quantities import TINY_GAME
from gandiag.recording.probes import TIERS
from gandiag.recording.step import Probe
from gandiag.recording.trace import parameter_trace
from gandiag.run import load_run


def probe_table(probes: str | Mapping[Probe, int], parameters: int = TINY_GAME + 1) -> dict[Probe, int]:
    """Returns a tier's table, or the table that was given, checked; UsageError. A tiny game (Dirac-GAN) is traced at every step."""
    if isinstance(probes, str):
        if probes not in TIERS:
            raise UsageError(
                f"there is no tier of probes {probes!r}{did_you_mean(probes, list(TIERS))}: give one of {', '.join(TIERS)} "
                "or a table of probes"
            )
        traced = {parameter_trace: 1} if probes == "default" and 0 < parameters <= TINY_GAME else {}
        return TIERS[probes] | traced
    for probe, every in probes.items():
        if not callable(probe) or not isinstance(every, int) or every < 1:
            raise UsageError(
                f"a table of probes maps functions to how many steps lie between two runs of them, not {probe!r}: {every!r}"
            )
    return dict(probes)


def refuse_what_cannot_play(
    generator: Any, discriminator: Any, generator_optimizer: Any, discriminator_optimizer: Any
) -> None:
    """Raises UsageError where a player is no network of its own, or its optimizer none."""
    for who, module in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(module, nn.Module):
            raise UsageError(
                f"the {who} is a torch.nn.Module, not {type(module).__name__}: give the network that the loop calls"
            )
    if generator is discriminator:
        raise UsageError(
            "the generator and the discriminator are one and the same module: give each player's own network"
        )
    for who, optimizer in (("generator", generator_optimizer), ("discriminator", discriminator_optimizer)):
        if optimizer is not None and not callable(getattr(optimizer, "step", None)):
            raise UsageError(
                f"{who}_optimizer is one optimizer, an object with a method `step`, not {type(optimizer).__name__}: "
                f"of several give the one that steps the {who} by the discriminator's verdict"
            )


def first_step(path: Path, resume: bool | int) -> int | None:
    """Returns the step from which a run is continued, None for a new run."""
    if resume is False or (resume is True and not (path / "run.json").exists()):
        return None
    if resume < 0:
        raise UsageError(f"resume is True, or the step from which the run goes on, 0 or more, not {resume}")
    return load_run(path).steps if resume is True else int(resume)


def totals_before(path: Path, begin: int | None) -> tuple[float, float]:
    """Returns the wall time and the images seen before the step from which a run is continued."""
    if not begin:
        return 0.0, 0.0
    run = load_run(path)
    found = []
    for name in ("wall_time", "images_seen"):
        try:
            series = run[name]
        except NotRecorded:
            found.append(0.0)
            continue
        before = series[series.index < begin]
        found.append(float(before.iloc[-1]) if len(before) else 0.0)
    return found[0], found[1]
