"""Generators that this project did not write: a function that builds the net and a safetensors file that fills it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gandiag.errors import UsageError, did_you_mean
from gandiag.export.contract import ExportError

WRAPPERS = ("module.", "_orig_mod.", "_forward_module.")  # what DDP, torch.compile and Fabric put before each name
PICKLE_STARTS = (b"\x80", b"PK\x03\x04")  # a bare pickle, and the zip that torch.save writes
OTHER_WEIGHTS = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".tar")


def build_generator(where: str, weights: str | os.PathLike[str] | None = None) -> nn.Module:
    """Calls `package.module:function` (or a class) without arguments and loads safetensors weights into what it returns.

    Modules are looked up as Python does it, and in the working directory. Raises UsageError for a name that is not there and
    ExportError for weights that do not fit, with the first names that differ.
    """
    builder = _find(where)
    try:
        made = builder() if not isinstance(builder, nn.Module) else builder
    except Exception as error:  # a stranger's function raises anything
        raise ExportError(f"{where} failed, called without arguments: {type(error).__name__}: {error}") from error
    if not isinstance(made, nn.Module):
        raise ExportError(f"{where} returned a {type(made).__name__}, not a torch.nn.Module")
    if weights is not None:
        load_weights(made, weights)
    return made


def load_weights(module: nn.Module, file: str | os.PathLike[str]) -> None:
    """Loads a safetensors state dict into a module, each name in its place; prefixes of DDP and torch.compile are taken off."""
    state = read_weights(file)
    wanted = module.state_dict()
    for prefix in WRAPPERS:
        if (
            state
            and all(name.startswith(prefix) for name in state)
            and not any(name.startswith(prefix) for name in wanted)
        ):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    _check_names(wanted, state, Path(file))
    module.load_state_dict(
        state, strict=False
    )  # compared above; what remains are tied weights, which safetensors keeps once


def read_weights(file: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Reads a safetensors file; a pickle is refused unread."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(file)
    if not path.is_file():
        raise UsageError(f"{path} is no file: --weights takes a safetensors file")
    with path.open("rb") as source:
        start = source.read(9)
    is_safetensors = start[8:] == b"{"  # after the header's length, whose first byte may well be a pickle's
    if not is_safetensors and (start.startswith(PICKLE_STARTS) or path.suffix.lower() in OTHER_WEIGHTS):
        raise ExportError(
            f"{path} is a pickle (torch.save), which can run code when it is opened: save the weights as safetensors, "
            "`safetensors.torch.save_file(generator.state_dict(), 'generator.safetensors')`, and give that file"
        )
    try:
        return dict(load_file(str(path)))
    except (SafetensorError, OSError, ValueError) as error:
        raise ExportError(f"{path} is no safetensors file: {error}") from error


def _find(where: str) -> Callable[[], object]:
    home, colon, name = where.partition(":")
    if not (home and colon and name):
        raise UsageError(f"--generator is {where!r}: give package.module:function")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)  # a script sees its own folder, a console program does not
    try:
        module = importlib.import_module(home)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"there is no module {error.name!r} (looked for {home} also in {here}): is its package installed?"
        ) from error
    except Exception as error:  # a stranger's module raises anything
        raise ExportError(f"importing {home} failed: {type(error).__name__}: {error}") from error
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError(
                f"{home} has no {part!r}{did_you_mean(part, [n for n in dir(found) if not n.startswith('_')])}"
            )
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"{where} is a {type(found).__name__}: give a function or class that builds the generator")
    return found


def _check_names(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], file: Path) -> None:
    tied = _tied(wanted)
    missing = [name for name in wanted if name not in state and not (tied[name] & set(state))]
    unexpected = [name for name in state if name not in wanted]
    shapes = [
        f"{name} is {list(state[name].shape)}, the net has {list(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    ]
    kinds = ((missing, "missing"), (unexpected, "unknown to the net"), (shapes, "of another shape"))
    faults = [f"{len(names)} {word} (first: {names[0]})" for names, word in kinds if names]
    if faults:
        raise ExportError(
            f"the weights in {file} do not fit the generator: {'; '.join(faults)}. "
            "Is it the file of another network, or of the discriminator?"
        )


def _tied(wanted: Mapping[str, Tensor]) -> dict[str, set[str]]:
    """For each name the others that are the same tensor in memory."""
    by_memory: dict[tuple[int, tuple[int, ...]], set[str]] = {}
    for name, value in wanted.items():
        if value.numel():
            by_memory.setdefault((value.data_ptr(), tuple(value.shape)), set()).add(name)
    return {
        name: by_memory.get((value.data_ptr(), tuple(value.shape)), set()) - {name} for name, value in wanted.items()
    }
