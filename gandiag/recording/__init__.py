"""Recording: the Recorder, the hooks that let it watch anybody's loop, and the probes that it runs. Names are resolved lazily."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "Recorder": "gandiag.recording.recorder",
    "Step": "gandiag.recording.step",
    "Probe": "gandiag.recording.step",
    "PROBES": "gandiag.recording.probes",
    "MINIMAL": "gandiag.recording.probes",
    "DEFAULT": "gandiag.recording.probes",
    "FULL": "gandiag.recording.probes",
    "attach": "gandiag.recording.attachment",
    "detach": "gandiag.recording.attachment",
}

__all__ = ["DEFAULT", "FULL", "MINIMAL", "PROBES", "Probe", "Recorder", "Step", "attach", "detach"]

if TYPE_CHECKING:
    from gandiag.recording.attachment import attach, detach
    from gandiag.recording.probes import DEFAULT, FULL, MINIMAL, PROBES
    from gandiag.recording.recorder import Recorder
    from gandiag.recording.step import Probe, Step


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gandiag.recording' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
