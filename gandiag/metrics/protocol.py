"""Protocol fingerprints compared: two scores that were not made alike are not compared, and the fields that differ are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gandiag.errors import GandiagError

DECIDING = (
    "format",
    "features",
    "weights",
    "published",
    "layer",
    "data",
    "resize",
    "input",
    "quantiser",
    "width",
    "channels",
    "covariance",
    "real_data",
    "real_count",
    "fake_count",
    "split",
    "dtype",
    "neighbours_of",
    "neighbours",
    "classes",
    "mixture",
    "kernel_distance",
    "floor",
)


class UnlikeScores(GandiagError):
    """Two scores were made by different protocols; `fields` names what differs."""

    def __init__(self, fields: tuple[str, ...], message: str) -> None:
        self.fields = fields
        super().__init__(message)


def differing_fields(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the fields of two fingerprints that differ and decide: seeds and versions do not, all the rest does."""
    names = [*DECIDING, *sorted({*one, *other} - {*DECIDING, "seed", "versions", "note", "interval"})]
    return tuple(name for name in names if one.get(name) != other.get(name))


def require_alike(one: Mapping[str, Any], other: Mapping[str, Any], *, ignore: tuple[str, ...] = ()) -> None:
    """Raises UnlikeScores, with the differing fields and both values in words, unless both fingerprints are alike."""
    fields = tuple(f for f in differing_fields(one, other) if f not in ignore)
    if fields:
        told = "; ".join(f"{f}: {one.get(f, 'absent')!r} and {other.get(f, 'absent')!r}" for f in fields)
        raise UnlikeScores(
            fields,
            f"these scores cannot be compared, they were not made alike ({told}); evaluate both again by one protocol",
        )


def compare_scores(name: str, one: Any, other: Any) -> float:
    """Returns the difference other - one of a score of two Evaluations; raises UnlikeScores where their protocols differ.

    `name` is the score's as in `Evaluation.scores`. Raises KeyError where one of them lacks it.
    """
    require_alike(one.protocol, other.protocol)
    return float(other.scores[name]) - float(one.scores[name])
