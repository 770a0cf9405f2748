"""Export: a trained generator as an ONNX file that is proven to be the generator. Names are resolved lazily: verifying needs no torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "export_generator": "gandiag.export.bundle",
    "Bundle": "gandiag.export.files",
    "open_bundle": "gandiag.export.files",
    "verify_bundle": "gandiag.export.verify",
    "Certificate": "gandiag.export.contract",
    "Contract": "gandiag.export.contract",
    "BundleError": "gandiag.export.contract",
    "ExportError": "gandiag.export.contract",
}

__all__ = [
    "Bundle",
    "BundleError",
    "Certificate",
    "Contract",
    "ExportError",
    "export_generator",
    "open_bundle",
    "verify_bundle",
]

if TYPE_CHECKING:
    from gandiag.export.bundle import export_generator
    from gandiag.export.contract import BundleError, Certificate, Contract, ExportError
    from gandiag.export.files import Bundle, open_bundle
    from gandiag.export.verify import verify_bundle


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gandiag.export' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value
