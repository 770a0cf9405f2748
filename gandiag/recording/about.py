"""What the recorder knows of a training before its first step: players, optimizers, device, versions."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

import gandiag
from gandiag.recording.player import Player
from gandiag.recording.probes import name_of
from gandiag.recording.step import Probe


def describe(
    discriminator: Player, generator: Player, *, output: str, probes: Mapping[Probe, int], device: torch.device
) -> dict[str, Any]:
    """Returns the entries of run.json that a recorder can tell by itself."""
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "status": "running",
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "gandiag": gandiag.__version__,
        },
        "device": {"type": device.type, "name": _device_name(device)},
        "players": {"generator": _player(generator), "discriminator": {**_player(discriminator), "output": output}},
        "optimizers": {
            "generator": _optimizer(generator, discriminator),
            "discriminator": _optimizer(discriminator, generator),
        },
        "probes": {name_of(probe): every for probe, every in probes.items()},
        "could_not_tell": [],
    }


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()


def _player(player: Player) -> dict[str, Any]:
    module: nn.Module = player.module
    inner = getattr(module, "_orig_mod", None) or getattr(module, "module", None)
    named = inner if isinstance(inner, nn.Module) else module
    return {
        "class": type(named).__name__,
        "parameters": sum(p.numel() for p in module.parameters()),
        "layers": list(player.names),
    }


def _optimizer(mine: Player, other: Player) -> dict[str, Any]:
    optimizer = mine.optimizer
    if optimizer is None:
        return {}
    groups = getattr(optimizer, "param_groups", None) or [{}]
    own = {id(p) for p in mine.module.parameters()}
    group = next((g for g in groups if any(id(p) in own for p in g.get("params", ()))), groups[0])
    facts = {
        name: _number(group[name])
        for name in ("betas", "eps", "weight_decay", "decoupled_weight_decay", "momentum", "alpha", "fused", "foreach")
        if name in group
    }
    stepped = {id(p) for g in groups for p in g.get("params", ())}
    others = sum(id(p) in stepped for p in other.module.parameters())
    rate = _number(group["lr"]) if "lr" in group else None
    return {
        "class": type(optimizer).__name__,
        "learning_rate": rate,
        **facts,
        "steps_other_player": others,
        "shared": mine.optimizer is other.optimizer,
    }


def _number(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return float(value)
    return [_number(v) for v in value] if isinstance(value, (tuple, list)) else value
