"""Contract: what goes into an exported generator and what comes out; and the errors of exporting and of reading a bundle. No torch."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, Literal

from gandiag.errors import GandiagError, UsageError

LATENT = "z"
LABEL = "label"
IMAGE = "image"
BATCH = "batch"
OPSETS = range(
    18, 24
)  # torch's exporter translates to 18 and converts upwards; 23 is the newest that it names as tested
MAX_MODEL_BYTES = 1_500_000_000  # one protobuf file ends at 2 GiB; above 1.5 GB weights would have to leave the file

Latent = Literal["normal", "uniform"]
Kind = Literal["images", "points"]


class ExportError(GandiagError):
    """A generator cannot be exported, or the exported file is not proven to be the generator."""


class BundleError(GandiagError):
    """A bundle is not what its manifest says, or is unfit to be opened."""


@dataclass(frozen=True)
class Contract:
    """The promise of one exported file: shapes are without the batch axis.

    `latent` is the distribution to draw z from: "normal" (mean 0, sd 1) or "uniform" (-1 .. 1); `value_range` is the range of a
    float output (bytes are 0 .. 255); `layout` is NCHW or NHWC for images, NC for points; `batch` is None where it is dynamic.
    """

    latent_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    latent: Latent = "normal"
    num_classes: int | None = None
    kind: Kind = "images"
    value_range: tuple[float, float] = (-1.0, 1.0)
    uint8: bool = False
    truncation: float | None = None
    precision: Literal["float32", "float16"] = "float32"
    opset: int = 18
    batch: int | None = None

    @property
    def layout(self) -> str:
        """NHWC for bytes, NCHW for float images, NC for points."""
        if self.kind == "points":
            return "NC"
        return "NHWC" if self.uint8 else "NCHW"

    @property
    def latent_size(self) -> int:
        """How many numbers one latent has."""
        return prod(self.latent_shape)

    def as_json(self) -> dict[str, Any]:
        """Returns the contract as JSON-ready data; `Contract.from_json` reads it back."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Contract:
        """Reads what `as_json` wrote; raises BundleError for anything else."""
        known = set(cls.__dataclass_fields__)
        if not isinstance(data, Mapping) or set(data) != known:
            raise BundleError(f"the manifest's contract must have exactly the fields {', '.join(sorted(known))}")
        tuples: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        contract = cls(**tuples)
        _check_types(contract)
        return contract


def _check_types(contract: Contract) -> None:
    sizes = (*contract.latent_shape, *contract.output_shape, contract.opset)
    optional = [n for n in (contract.num_classes, contract.batch) if n is not None]
    whole = all(isinstance(n, int) and not isinstance(n, bool) and 0 < n < 2**31 for n in (*sizes, *optional))
    words = (
        contract.latent in ("normal", "uniform")
        and contract.kind in ("images", "points")
        and contract.precision in ("float32", "float16")
    )
    numbers = len(contract.value_range) == 2 and all(isinstance(v, (int, float)) for v in contract.value_range)
    if not (
        whole
        and words
        and numbers
        and isinstance(contract.uint8, bool)
        and isinstance(contract.truncation, (int, float, type(None)))
    ):
        raise BundleError("the manifest's contract holds values that no export writes: export the generator again")


def latent_shape(latent_dim: int | tuple[int, ...] | list[int]) -> tuple[int, ...]:
    """Returns the shape of one latent from a number (128) or a shape ((100, 1, 1)); raises UsageError where a size is below 1."""
    try:
        given = latent_dim if isinstance(latent_dim, (tuple, list)) else (latent_dim,)
        shape = tuple(operator.index(n) for n in given)
    except TypeError:
        raise UsageError(
            f"latent_dim is whole numbers, such as 128 or (100, 1, 1), not a {type(latent_dim).__name__}"
        ) from None
    if not shape or any(n < 1 for n in shape):
        raise UsageError(
            f"latent_dim is {latent_dim!r}: give the size of one latent, such as 128 or (100, 1, 1), without the batch axis"
        )
    return shape


@dataclass(frozen=True)
class Certificate:
    """One thing that was proven about the file, or not: the claim holds the number and the limit; facts are JSON-ready.

    `passed` is None where the certificate informs only (latency, memory) or could not be computed here; the claim says which.
    """

    name: str
    passed: bool | None
    claim: str
    facts: dict[str, Any]

    @property
    def word(self) -> str:
        """How it ended, in a word: passed, FAILED or noted."""
        return {True: "passed", False: "FAILED", None: "noted"}[self.passed]
