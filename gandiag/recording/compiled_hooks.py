"""The optional compiled hooks: `hooks.c`, the usual way through the hooks of `capture.py`, built where Python's headers are; else None.

They note the same things in the same objects, at half the cost: without them, or switched off by GANDIAG_ACCELERATOR=off, Python does all.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from typing import Any

import torch

from gandiag.metrics.cache import cache_folder
from gandiag.recording import capture, origin
from gandiag.recording.accelerator import SWITCH, NotThere, compiled, switched_off
from gandiag.recording.buffer import WHOLE_VALUES

SOURCE = Path(__file__).with_name("hooks.c")
FLAGS = ("-O2", "-std=c11", "-shared", "-fPIC")
NAME = "gandiag_hooks"


@dataclass(frozen=True)
class Hooks:
    """The compiled hooks, or None and why."""

    module: Any | None
    words: str


def find_hooks() -> Hooks:
    """Returns the compiled hooks, built if need be (about a second, once a machine); any trouble leaves the work to Python."""
    if switched_off():
        return Hooks(None, f"Python (switched off by {SWITCH})")
    if getattr(sys.modules.get("torch._dynamo.config"), "compiled_autograd", False):
        return Hooks(None, "Python (backward passes are compiled, and no compiler of torch's reads a hook in C)")
    return _found(str(cache_folder()), os.environ.get("PATH", ""))


@lru_cache(maxsize=4)
def _found(cache: str, path: str) -> Hooks:
    try:
        file = build(Path(cache) / "accelerator")
        return Hooks(load(file), f"compiled ({file.name})")
    except (NotThere, OSError, subprocess.SubprocessError, ImportError, AttributeError, TypeError) as error:
        return Hooks(None, f"Python ({error})")


def build(folder: Path) -> Path:
    """Returns the library for this Python: from the folder, or compiled into it."""
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        raise NotThere(f"Python's headers are not in {headers}")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise NotThere("this Python has no lock that the hooks could rely on")
    return compiled(folder, SOURCE, (*FLAGS, f"-I{headers}"), sys.version)


def load(file: Path) -> Any:
    """Loads the hooks and tells them which types and functions they go by."""
    spec = importlib.util.spec_from_file_location(NAME, file, loader=ExtensionFileLoader(NAME, str(file)))
    if spec is None:
        raise NotThere(f"{file.name} is no module")
    hooks = importlib.util.module_from_spec(spec)
    hooks.prepare(
        torch.Tensor,
        capture.Call,
        capture.Pass,
        origin.REAL,
        origin.FAKE,
        torch.float32,
        torch._C._functorch.is_functorch_wrapped_tensor,
        torch._C._current_graph_task_id,
        torch._C._will_engine_execute_node,
        torch._C._storage_Use_Count,
        origin._USED_HERE,
        origin.HELD_OUTPUTS,
        origin.KEPT_OUTPUTS,
        WHOLE_VALUES,
        capture.MOST_OPEN,
        capture.LEARNT_IN,
        capture.STALE_FIRST,
        capture.STALE_EVERY,
    )
    return hooks
