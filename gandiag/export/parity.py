"""Parity: ONNX Runtime against torch in float64 and float32, held against the rounding that the precision itself causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gandiag.export.contract import Certificate, Contract, ExportError
from gandiag.export.latents import draw_labels, draw_latents, extreme_latents
from gandiag.export.session import Session

PARITY_BATCHES = (1, 2, 7, 64, 256)
EXTREME = "extreme latents"
ALONE = 16  # latents that torch also evaluates one by one: another kernel, another order of summation, another rounding
TOLERANCE_IN_FLOORS = 4.0  # another order of summation may round as torch does, in other places: a few floors, not many


@dataclass(frozen=True)
class Reference:
    """What torch says of fixed latents: `exact` in float64 (levels 0 .. 255 where the graph makes bytes), and how far rounding alone goes.

    A floor is the largest difference between torch in the file's own precision (in batches, and one by one) and torch in float64;
    at least one rounding of the largest value. The last `extremes` rows come from extreme latents and have a floor of their own.
    """

    latents: np.ndarray
    labels: np.ndarray | None
    exact: np.ndarray
    same_precision: np.ndarray | None
    floor: float
    extreme_floor: float
    extremes: int

    def head(self, count: int, extremes: int) -> Reference:
        """Returns the first `count` ordinary rows and the first `extremes` extreme ones: what a bundle carries along."""
        ordinary = len(self.latents) - self.extremes
        rows = np.r_[: min(count, ordinary), ordinary : ordinary + extremes]
        labels = None if self.labels is None else self.labels[rows]
        same = None if self.same_precision is None else self.same_precision[rows]
        return replace(
            self,
            latents=self.latents[rows],
            labels=labels,
            exact=self.exact[rows],
            same_precision=same,
            extremes=extremes,
        )


def torch_reference(generator: Any, contract: Contract, count: int = max(PARITY_BATCHES)) -> Reference:
    """Evaluates a frozen generator on `count` seeded latents and the extreme ones, in float64 and in the file's precision."""
    from gandiag.export.served import Served, evaluate, evaluate_double, evaluate_half

    latents, labels = parity_inputs(contract, count)
    served = Served(generator, contract, quantise=False)
    exact = evaluate_double(served, latents, labels)
    in_precision = evaluate_half if contract.precision == "float16" else evaluate
    rounded = in_precision(served, latents, labels)
    extremes = len(extreme_latents(contract))
    if not np.isfinite(exact[:-extremes]).all():
        raise ExportError("the generator's samples are not finite numbers: there is nothing to export in it")
    some = np.r_[:ALONE, len(latents) - extremes : len(latents)]
    alone, exact_alone = (
        np.concatenate([run(served, latents[[i]], None if labels is None else labels[[i]]) for i in some])
        for run in (in_precision, evaluate_double)
    )
    floors = [
        max(_floor(rounded[rows], exact[rows], contract), _floor(alone[part], exact_alone[part], contract))
        for rows, part in ((slice(-extremes), slice(ALONE)), (slice(-extremes, None), slice(ALONE, None)))
    ]
    if contract.precision == "float32":
        exact = np.where(np.isfinite(rounded), exact, rounded)  # what overflows in torch too is to overflow in the file
    if contract.uint8:
        exact, rounded = _levels(exact, contract), evaluate(Served(generator, contract, quantise=True), latents, labels)
    return Reference(latents, labels, exact, rounded, floors[0], floors[1], extremes)


def parity_inputs(contract: Contract, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the latents and labels of the parity certificate: `count` ordinary ones, then the extreme ones."""
    latents = np.concatenate([draw_latents(contract, count), extreme_latents(contract)])
    return latents, draw_labels(contract, len(latents))


def parity_certificate(session: Session, contract: Contract, reference: Reference) -> Certificate:
    """Compares the file with torch at batch 1, 2, 7, 64 and 256 and on extreme latents; passes within four times the rounding floor."""
    rows: dict[str, Any] = {}
    total, count = 0.0, 0
    for name, index in parity_batches(contract, len(reference.latents), reference.extremes):
        made = session(reference.latents[index], None if reference.labels is None else reference.labels[index])
        difference = differences(made, reference.exact[index], contract)
        floor = reference.extreme_floor if name == EXTREME else reference.floor
        to_torch = _to_torch(
            made, None if reference.same_precision is None else reference.same_precision[index], contract
        )
        rows[name] = {
            "largest": largest(difference),
            "mean": float(np.mean(difference)),
            "largest_to_torch": to_torch,
            "floor": floor,
        }
        rows[name]["floors"] = max(rows[name]["largest"], to_torch or 0.0) / floor
        total, count = total + float(np.sum(difference)), count + difference.size
    worst = max(rows, key=lambda name: float(rows[name]["floors"]))
    return _parity(rows, worst, total / max(count, 1), session.provider, contract.precision)


def _parity(rows: dict[str, Any], worst: str, mean: float, provider: str, precision: str) -> Certificate:
    difference, floors = max(row["largest"] for row in rows.values()), rows[worst]["floors"]
    facts = {
        "largest": difference,
        "mean": mean,
        "floors": floors,
        "tolerance_in_floors": TOLERANCE_IN_FLOORS,
        "provider": provider,
        "batches": rows,
    }
    claim = (
        f"largest difference to torch {difference:.2e}, {floors:.2f} times the {precision} rounding floor ({rows[worst]['floor']:.2e} "
        f"at {worst}; limit {TOLERANCE_IN_FLOORS:g} times), at {', '.join(rows)}, on {provider}"
    )
    return Certificate("parity", bool(floors <= TOLERANCE_IN_FLOORS), claim, facts)


def parity_batches(contract: Contract, rows: int, extremes: int) -> list[tuple[str, np.ndarray]]:
    """Returns (name, row numbers) of each batch that parity runs; where there are fewer rows than the batch has, they go round."""
    ordinary, far = np.arange(rows - extremes), np.arange(rows - extremes, rows)
    sizes = PARITY_BATCHES if contract.batch is None else (contract.batch,)
    batches = [(f"batch {n}", np.resize(ordinary, n)) for n in sizes]
    if extremes:
        batches.append((EXTREME, np.resize(far, contract.batch or extremes)))
    return batches


def differences(made: np.ndarray, exact: np.ndarray, contract: Contract) -> np.ndarray:
    """How far each value is from the exact one, in units of the float image; infinite where only one of the two is a finite number.

    A byte differs by as much as the exact level lies outside the interval that is cut to this byte: zero for a right byte.
    """
    if made.shape != exact.shape:
        return np.full(exact.shape, np.inf)
    if not contract.uint8:
        return _apart(made.astype(np.float64), exact)
    level = made.astype(np.float64)
    outside = np.maximum(np.maximum(level - exact, exact - np.where(level == 255, 256, level + 1)), 0.0)
    low, high = contract.value_range
    return outside * (high - low) / 255.0


def largest(values: np.ndarray) -> float:
    """The largest value of an array; infinite where one is not a number."""
    return float(np.max(np.nan_to_num(values, nan=np.inf), initial=0.0))


def _to_torch(made: np.ndarray, torch_made: np.ndarray | None, contract: Contract) -> float | None:
    """The largest difference to torch's own float32; None for bytes and halves: two roundings of those may differ by a whole one."""
    if torch_made is None or contract.uint8 or contract.precision == "float16":
        return None
    same_shape = made.shape == torch_made.shape
    return largest(_apart(made.astype(np.float64), torch_made.astype(np.float64))) if same_shape else float("inf")


def _apart(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))  # an infinity that both have is no difference
    with np.errstate(invalid="ignore"):
        return np.where(same, 0.0, np.nan_to_num(np.abs(ours - theirs), nan=np.inf, posinf=np.inf))


def _floor(rounded: np.ndarray, exact: np.ndarray, contract: Contract) -> float:
    both = np.isfinite(rounded) & np.isfinite(exact)
    epsilon = np.finfo(np.float16 if contract.precision == "float16" else np.float32).eps
    one_rounding = np.max(np.abs(exact[both]), initial=0.0) * epsilon / 2
    seen = np.max(np.abs(rounded[both] - exact[both]), initial=0.0)
    return max(float(seen), float(one_rounding), float(np.finfo(np.float32).tiny))


def _levels(exact: np.ndarray, contract: Contract) -> np.ndarray:
    low, high = contract.value_range
    scale = 255.0 / (high - low)
    return np.clip(exact * scale + (0.5 - low * scale), 0.0, 255.0).transpose(0, 2, 3, 1)
