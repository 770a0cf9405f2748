"""Recipe: what a recipe is, data and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Recipe:
    """A training as data: what it is in one line, where it comes from, and what it changes of the default configuration.

    `health` is what the recipe is known to do on the data that it names: 'healthy', 'sick', or 'open' where neither was established.
    """

    summary: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    health: Literal["healthy", "sick", "open"] = "open"
    source: str = ""
