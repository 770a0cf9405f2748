"""How a recording begins: its table of probes, and where a run that is continued stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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


def first_step(path: Path, resume: bool | int) -> int | None:
    """Returns the step from which a run is continued, None for a new run."""
    if resume is False or (resume is True and not (path / "run.json").exists()):
        return None
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
