"""How the values of a training's configuration are found (flag, environment, file, recipe), read from texts, and written."""

from __future__ import annotations

import inspect
import json
import os
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from gandiag.errors import UsageError
from gandiag.training.config_fields import FIELDS, Config, check_config
from gandiag.training.other_names import meant

__all__ = [
    "FIELDS",
    "Config",
    "as_read",
    "as_toml",
    "check_config",
    "comments",
    "effective_config",
    "environment_values",
    "known_field",
    "read_config_file",
    "read_value",
    "split_settings",
]

Value = str | int | float | bool | None | tuple[Any, ...]
ENVIRONMENT = "GANDIAG_RUN_"


def effective_config(
    recipe: str,
    *,
    file: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    settings: Mapping[str, str] | None = None,
) -> tuple[Config, dict[str, str]]:
    """Returns the configuration and where each value came from: flag and --set over environment over file over recipe over default.

    `environment` holds the values of GANDIAG_RUN_X by X in lower case; texts are read by the field's type. Raises UsageError that
    names the nearest recipe or field for one that is unknown.
    """
    from gandiag.training.recipes import recipe_overrides

    values: dict[str, Any] = {name: field.default for name, field in FIELDS.items()}
    sources = dict.fromkeys(FIELDS, "default")
    layers = (
        ("recipe", recipe_overrides(recipe)),
        ("config file", file or {}),
        ("environment", environment or {}),
        ("set", settings or {}),
        ("flag", flags or {}),
    )
    twice = set(settings or {}) & set(flags or {})
    if twice:
        raise UsageError(f"{', '.join(sorted(twice))} is given by a flag and by --set: give it once")
    for source, given in layers:
        for name, value in given.items():
            known_field(name, source)
            values[name] = read_value(name, value)
            sources[name] = source
    return check_config(Config(**values)), sources


def known_field(name: str, source: str = "set") -> str:
    """Returns the name of a field; raises UsageError with the nearest one for an unknown name."""
    if name not in FIELDS:
        place = {"set": "--set", "config file": "the config file"}.get(source, source)
        raise UsageError(
            f"{place} names {name!r}, which is no setting{meant(name, list(FIELDS))}; `gandiag recipes mlp` prints them all"
        )
    return name


def read_value(name: str, value: Any) -> Value:
    """Returns a value of the field's type from a text, a TOML or a Python value; raises UsageError with what was expected."""
    kind, optional = _kind(name)
    if value is None or (isinstance(value, str) and value.strip().lower() == "none" and optional):
        if optional or FIELDS[name].default is None:
            return None
        raise UsageError(f"{name} must be {_wanted(kind)}, it cannot be none")
    try:
        return _read(kind, value)
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"{name} must be {_wanted(kind)}, not {value!r}") from None


def as_read(config: Config) -> Config:
    """Returns a configuration that was made in Python as the command line would have read and checked it; raises UsageError as it does."""
    values: dict[str, Any] = {name: read_value(name, getattr(config, name)) for name in FIELDS}
    return check_config(replace(config, **values))


def read_config_file(path: str | Path) -> dict[str, Any]:
    """Reads a TOML file of settings; a key `recipe` names the recipe that it starts from. Raises UsageError where it cannot be read."""
    file = Path(path)
    try:
        if file.stat().st_size > 2**20:
            raise UsageError(f"{file} is larger than 1 MiB: this is no configuration")
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the config file {file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is no TOML: {error}") from None
    for name in values:
        if name != "recipe":
            known_field(name, "config file")
    return values


def environment_values(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the settings that the environment holds as GANDIAG_RUN_NAME; other variables with that prefix are options of the command."""
    found = {
        name: environment[ENVIRONMENT + name.upper()] for name in FIELDS if ENVIRONMENT + name.upper() in environment
    }
    return {name: text for name, text in found.items() if text != ""}


def split_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """Turns ('name=value', ...) into a dict; raises UsageError for what has no =, is unknown or is given twice."""
    values: dict[str, str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals:
            raise UsageError(f"--set takes name=value, not {setting!r}")
        if name in values:
            raise UsageError(f"--set gives {name} twice")
        values[known_field(name)] = text.strip()
    return values


def as_toml(config: Config, heading: str = "") -> str:
    """Returns the configuration as TOML with a comment for each field; fields that are none stand there commented out."""
    lines = [f"# {line}" for line in heading.splitlines()]
    for name, comment in comments().items():
        value = getattr(config, name)
        text = f"# {name} = none" if value is None else f"{name} = {_toml(value)}"
        lines.append(f"{text:<42} # {comment}")
    return "\n".join(lines) + "\n"


def comments() -> dict[str, str]:
    """Returns each field's comment, read from the source of Config: it is written once."""
    found = re.findall(r"^    (\w+): [^\n#]*#\s*(.*)$", inspect.getsource(Config), flags=re.MULTILINE)
    return {name: comment for name, comment in found if name in FIELDS}


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return json.dumps(value, ensure_ascii=False)


def _kind(name: str) -> tuple[Any, bool]:
    hint = typing.get_type_hints(Config)[name]
    if typing.get_origin(hint) is Literal:
        return str, False
    if isinstance(hint, types.UnionType):
        return next(k for k in typing.get_args(hint) if k is not type(None)), True
    return hint, False


def _wanted(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        return f"a list of {'whole numbers' if typing.get_args(kind)[0] is int else 'names'} (a,b,c)"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[kind]


def _read(kind: Any, value: Any) -> Any:
    if typing.get_origin(kind) is tuple:
        parts = re.split(r"[,\s]+", value.strip("[]() ")) if isinstance(value, str) else list(value)
        return tuple(_read(typing.get_args(kind)[0], part) for part in parts if part != "")
    if kind is bool:
        return _read_bool(value)
    if kind is str:
        if not isinstance(value, (str, os.PathLike)):
            raise TypeError
        return os.fspath(value)
    if isinstance(value, bool) or not isinstance(value, (Real, str)):
        raise TypeError
    number = float(value)
    if kind is int:
        if number != int(number):
            raise ValueError
        return (
            int(value)
            if isinstance(value, (int, str)) and str(value).lstrip("+-").replace("_", "").isdigit()
            else int(number)
        )
    return number


def _read_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if not isinstance(value, str) or value.strip().lower() not in words:
        raise ValueError
    return words[value.strip().lower()]
