"""A user's own networks and data: `package.module:function`, found on the import path or in the working directory."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from gandiag.errors import UsageError

_SPEC = re.compile(r"^(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_]\w*)$")


def looks_like_function(spec: str) -> bool:
    """Whether a text has the form package.module:function."""
    return _SPEC.match(spec) is not None


def load_function(spec: str) -> Callable[..., Any]:
    """Imports `package.module:function` and returns the function; raises UsageError that says which part of it is not there."""
    match = _SPEC.match(spec)
    if match is None:
        raise UsageError(f"{spec!r} is no package.module:function")
    if match["module"].endswith(".py"):
        raise UsageError(
            f"{spec}: give the module and not its file: {match['module'].removesuffix('.py')}:{match['name']}"
        )
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a console script does not see its working directory
    try:
        module = importlib.import_module(match["module"])
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{spec}: no module {error.name!r} on the import path; run from the folder that holds it, or install it"
        ) from None
    except Exception as error:  # it is the user's file, whatever it does when it is imported
        raise UsageError(f"{spec}: importing {match['module']} fails with {type(error).__name__}: {error}") from error
    function = getattr(module, match["name"], None)
    if not callable(function):
        raise UsageError(f"{spec}: {match['module']} has no function {match['name']!r}")
    return function


def called(function: Callable[..., Any], spec: str, given: Mapping[str, Any]) -> Any:
    """Calls a user's function with those of the `given` arguments that it names, the first two by position if it names them otherwise.

    Raises UsageError where it needs an argument that is not among them, or fails.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise UsageError(f"{spec}: its arguments cannot be seen; give a function written in Python") from None
    everything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    by_position = [
        value
        for (name, value), parameter in zip(given.items(), parameters)
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
        and parameter.name not in given
    ][:2]
    by_position = by_position if len(by_position) == 2 else []
    named = {p.name for p in parameters}
    by_name = {
        name: value
        for number, (name, value) in enumerate(given.items())
        if (everything or name in named) and number >= len(by_position)
    }
    missing = [
        p.name
        for p in list(parameters)[len(by_position) :]
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in by_name
    ]
    if missing:
        raise UsageError(
            f"{spec} needs the argument {missing[0]!r}; of {', '.join(given)} it is given those that it names, and nothing else: "
            f"give {missing[0]} a default, or take it from these"
        )
    try:
        return function(*by_position, **by_name)
    except Exception as error:
        raise UsageError(f"{spec} fails with {type(error).__name__}: {error}") from error
