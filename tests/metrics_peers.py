"""Other people's metrics, imported for comparison where they are installed; torchvision, which they ask for, is stood in for."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch

OPERATORS = torch.library.Library("torchvision", "FRAGMENT")


def import_peer(name: str) -> Any:
    """Returns a peer's module, or skips the test and says what is not seen; none of what we call of peers needs torchvision itself."""
    if importlib.util.find_spec(name.split(".")[0]) is None:
        pytest.skip(f"{name.split('.')[0]} is not installed: its own number is not seen here")
    if name in sys.modules:
        return sys.modules[name]
    if importlib.util.find_spec("torchvision") is not None:
        import_torchvision()
        return importlib.import_module(name)
    _stand_in_for_torchvision()
    try:
        return importlib.import_module(name)
    finally:
        for stand_in in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
            del sys.modules[stand_in]  # torch looks for torchvision too, and must not find this one


def import_torchvision() -> None:
    """Imports torchvision itself, or skips; its compiled operators, which a CPU build of torch cannot load, are declared by name only."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        pytest.skip("torchvision is not installed: pytorch-fid's network, built from it, is not seen here")
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for stale in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
            del sys.modules[stale]
        text = (Path(spec.origin).parent / "_meta_registrations.py").read_text()
        for name in {"nms", *re.findall(r'register_(?:meta|fake)\("(?:torchvision::)?(\w+)"', text)}:
            OPERATORS.define(f"{name}(Tensor x) -> Tensor")
        importlib.import_module("torchvision")


def _stand_in_for_torchvision() -> None:
    """Modules with the names that are imported and nothing in them: a class for whatever is asked."""
    for name in ("", ".transforms", ".transforms.functional", ".datasets", ".models", ".models.inception", ".utils"):
        module = types.ModuleType("torchvision" + name)
        module.__getattr__ = lambda attribute: type(attribute, (), {}) if attribute[0].isupper() else _missing  # type: ignore[method-assign]
        module.__version__ = "0.0"  # type: ignore[attr-defined]
        module.__path__ = []
        module.__spec__ = importlib.util.spec_from_loader("torchvision" + name, loader=None)
        sys.modules["torchvision" + name] = module
        parent, _, child = ("torchvision" + name).rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)


def _missing(*_: object) -> None:
    raise AssertionError("a peer called torchvision, which is only stood in for")
