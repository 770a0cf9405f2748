"""The public surface: listed once, documented whole, typed whole."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gandiag

PACKAGE = Path(gandiag.__file__).parent
DOORS = (
    "gandiag",
    "gandiag.recording",
    "gandiag.metrics",
    "gandiag.diagnosis",
    "gandiag.reporting",
    "gandiag.export",
    "gandiag.training",
)


def public() -> Iterator[tuple[str, Any]]:
    """Every public function and class of every door, and the public methods of the classes, each once."""
    seen: set[int] = set()
    for door in DOORS:
        module = importlib.import_module(door)
        for name in module.__all__:
            value = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)) or id(value) in seen:
                continue
            seen.add(id(value))
            yield f"{door}.{name}", value
            if inspect.isclass(value) and value.__module__.startswith("gandiag"):
                for method, function in vars(value).items():
                    inner = (
                        getattr(function, "fget", None)
                        or getattr(function, "func", None)
                        or getattr(function, "__func__", function)
                    )
                    if not method.startswith("_") and inspect.isfunction(inner):
                        yield f"{door}.{name}.{method}", inner


PUBLIC = list(public())


def test_the_public_names_are_listed_once() -> None:
    assert list(gandiag.__all__) == sorted(
        set(gandiag.__all__), key=lambda n: (not n.isupper(), n.startswith("__") or n[0].islower(), n)
    )
    assert set(gandiag.__all__) == {*gandiag._HOME, "__version__"}
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    told = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert {*gandiag._HOME} <= told, "what a type checker sees is what there is"
    for name in gandiag.__all__:
        assert getattr(gandiag, name) is not None


@pytest.mark.parametrize("door", DOORS)
def test_every_name_of_a_door_is_there(door: str) -> None:
    module = importlib.import_module(door)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert hasattr(module, name), f"{door} lists {name}, which is not there"


@pytest.mark.parametrize(("name", "thing"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_every_public_thing_says_what_it_is_in_a_sentence(name: str, thing: Any) -> None:
    told = inspect.getdoc(thing) or ""
    assert told, f"{name} has no docstring"
    first = told.split("\n\n")[0].replace("\n", " ").strip()
    assert not first.startswith(f"{thing.__name__}("), f"{name} has only what dataclass makes of it"
    assert not first[0].islower(), f"{name}: {first!r}"
    assert first.endswith((".", "...", ":", ";", "?", ")")), f"{name}: its first sentence does not end: {first!r}"
    assert len(first.split()) >= 3, f"{name}: {first!r} is no sentence"


@pytest.mark.parametrize(("name", "thing"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_every_public_thing_is_typed_whole(name: str, thing: Any) -> None:
    if inspect.isclass(thing):
        return
    signature = inspect.signature(thing)
    untyped = [
        p for p in list(signature.parameters.values()) if p.annotation is p.empty and p.name not in ("self", "cls")
    ]
    assert not untyped, f"{name}: {untyped} have no type"
    assert signature.return_annotation is not signature.empty, f"{name} does not say what it returns"
