"""What a script calls its networks: variables, dotted or not, and classes."""

from __future__ import annotations

from typing import Any

from torch import nn

from gandiag.recording.evidence import Pair
from gandiag.recording.pieces import Together
from gandiag.recording.witnessed import Network

MOST_ATTRIBUTES = 200  # of an object in which a network's name is looked for


def name_of(module: nn.Module, namespace: dict[str, Any] | None) -> str:
    """Returns what the script calls a network (`netG`, `trainer.gen`), and its class."""
    if isinstance(module, Together):
        return " + ".join(name_of(part, namespace) for part in module.children())
    kind = type(module).__name__
    known = namespace or {}
    for name, value in known.items():
        if value is module:
            return f"{name} ({kind})"
    for name, owner in known.items():
        for part, value in parts_of(owner).items():
            if value is module:
                return f"{name}.{part} ({kind})"
    for name, owner in known.items():
        found = (
            (part for part, value in owner.named_modules() if value is module) if isinstance(owner, nn.Module) else ()
        )
        for part in found:
            return f"{name}.{part} ({kind})"
    return kind


def parts_of(owner: Any) -> dict[str, Any]:
    """Returns what an object of the script holds by name: attributes, submodules, entries of a dict."""
    if isinstance(owner, nn.Module):
        return dict(owner._modules)
    held = owner if isinstance(owner, dict) else getattr(owner, "__dict__", None)
    if not isinstance(held, dict) or isinstance(owner, type) or len(held) > MOST_ATTRIBUTES:
        return {}
    return {name: value for name, value in held.items() if isinstance(name, str)}


def is_named(
    pair: Pair,
    names: tuple[str | None, str | None],
    networks: dict[Network, nn.Module],
    called: dict[Network, str],
    namespace: dict[str, Any] | None,
) -> bool:
    """Tells whether a pair bears the names that the user gave: a variable of the script, dotted or not, or a class."""
    for name, network in zip(names, pair):
        if name is None:
            continue
        variable = lookup(name, namespace or {})
        same = isinstance(variable, nn.Module) and frozenset(id(p) for p in variable.parameters()) == network
        if not same and name not in (type(networks[network]).__name__, called[network], called[network].split(" ")[0]):
            return False
    return True


def lookup(name: str, namespace: dict[str, Any]) -> Any:
    """Follows a dotted name, through attributes and dict entries: `trainer.models.gen`."""
    first, *rest = name.split(".")
    value = namespace.get(first)
    for part in rest:
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value
