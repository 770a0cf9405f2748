"""A user's own networks and data: `package.module:function`, found on the import path or in the working directory."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
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
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a console script does not see its working directory
    try:
        module = importlib.import_module(match["module"])
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{spec}: no module {error.name!r} on the import path; run from the folder that holds it, or install it"
        ) from None
    function = getattr(module, match["name"], None)
    if not callable(function):
        raise UsageError(f"{spec}: {match['module']} has no function {match['name']!r}")
    return function  # type: ignore[no-any-return]  # callable() does not narrow it
