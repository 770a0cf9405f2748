"""gandiag: GAN stability diagnostics and evaluation. The public names, resolved lazily: importing gandiag imports no torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Recorder": "gandiag.recording",
    "attach": "gandiag.recording.attachment",
    "detach": "gandiag.recording.attachment",
    "PROBES": "gandiag.recording",
    "Run": "gandiag.run",
    "load_run": "gandiag.run",
    "NotRecorded": "gandiag.errors",
    "GandiagError": "gandiag.errors",
    "RunError": "gandiag.errors",
    "UsageError": "gandiag.errors",
    "diagnose": "gandiag.diagnosis",
    "CHECKS": "gandiag.diagnosis",
    "Diagnosis": "gandiag.diagnosis",
    "Finding": "gandiag.diagnosis",
    "Verdict": "gandiag.diagnosis",
    "Watch": "gandiag.diagnosis.watching",
    "write_report": "gandiag.reporting",
    "export_generator": "gandiag.export",
}

__all__ = [
    "CHECKS",
    "PROBES",
    "Diagnosis",
    "Finding",
    "GandiagError",
    "NotRecorded",
    "Recorder",
    "Run",
    "RunError",
    "UsageError",
    "Verdict",
    "Watch",
    "__version__",
    "attach",
    "detach",
    "diagnose",
    "export_generator",
    "load_run",
    "write_report",
]

if TYPE_CHECKING:
    from gandiag.diagnosis import CHECKS, Diagnosis, Finding, Verdict, diagnose
    from gandiag.diagnosis.watching import Watch
    from gandiag.errors import GandiagError, NotRecorded, RunError, UsageError
    from gandiag.export import export_generator
    from gandiag.recording import PROBES, Recorder, attach, detach
    from gandiag.reporting import write_report
    from gandiag.run import Run, load_run


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gandiag' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
