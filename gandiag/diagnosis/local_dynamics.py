"""What theory says of a game near a point: multipliers of each update rule from the Jacobian of the field, and the word for them. numpy only.

v' is the Jacobian of v = (-dL_G/dG, -dL_D/dD). A rule with step h has multipliers mu, the eigenvalues of its update's own Jacobian:
|mu| < 1 converges by that factor a step, |mu| > 1 diverges, |mu| = 1 is for the nonlinear terms to decide, which only a trace can show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gandiag.diagnosis.dynamics import Word

Rule = Literal["continuous", "simultaneous", "alternating", "extragradient", "optimistic", "consensus"]
NEUTRAL = 1e-7  # | |mu| - 1 | and relative |Re lambda| below this count as neutral: double roots are known to 1e-8 only
ROTATING_RATIO = 1e-7  # |arg mu| in turns below which nothing rotates
# share of a Hessian's largest |eigenvalue| by which its smallest may be below zero and still count as flat
NASH_TOLERANCE = 1e-3


@dataclass(frozen=True)
class LocalDynamics:
    """What a game does near a point under a rule: the word, the leading multiplier, its period in steps and the sentence that says so."""

    word: Word
    multiplier: float  # largest |mu| (of a continuous flow: exp of the rightmost real part, per unit of time)
    period: float | None  # 2 pi / |arg mu| of the leading multiplier; None where it does not rotate
    why: str


def multipliers(
    eigenvalues: Sequence[complex] | np.ndarray, rule: Rule, step: float, *, momentum: float = 0.0
) -> np.ndarray:
    """Returns the multipliers of a rule whose update is determined by the eigenvalues of v' alone.

    simultaneous: mu^2 - (1 + m + h lambda) mu + m = 0 with momentum m; extragradient: 1 + h lambda + (h lambda)^2; optimistic
    (2 g_t - g_(t-1)): mu^2 - (1 + 2 h lambda) mu + h lambda = 0; continuous: exp(h lambda). Alternating and consensus need the Jacobian
    itself (`update_matrix`) and raise ValueError.
    """
    scaled = step * np.asarray(eigenvalues, dtype=complex)
    if momentum and rule != "simultaneous":
        raise ValueError(f"momentum is known here for simultaneous updates, not for {rule!r}; use update_matrix")
    if rule == "continuous":
        return np.exp(scaled)
    if rule == "simultaneous":
        return 1 + scaled if momentum == 0 else _roots(1 + momentum + scaled, momentum + 0 * scaled)
    if rule == "extragradient":
        return 1 + scaled + scaled**2
    if rule == "optimistic":
        return _roots(1 + 2 * scaled, scaled)
    raise ValueError(
        f"the multipliers of {rule!r} do not follow from the eigenvalues of v' alone; use update_matrix with the whole Jacobian"
    )


def update_matrix(
    jacobian: np.ndarray,
    rule: Rule,
    step: float | tuple[float, float],
    *,
    first: int,
    momentum: float = 0.0,
    gamma: float = 1.0,
    updates: tuple[int, int] = (1, 1),
) -> np.ndarray:
    """Returns the Jacobian of one update at a stationary point, from the whole v' (n, n) whose first `first` rows are player one's.

    `step` is one step size or one for each player; alternating: player one moves `updates[0]` times, then player two `updates[1]` times
    against what it finds; consensus: v - gamma grad |v|^2 / 2. With momentum or optimism the state is (point, last move).
    """
    jacobian = np.asarray(jacobian, dtype=float)
    n = len(jacobian)
    one, zero = np.eye(n), np.zeros((n, n))
    sizes = np.where(np.arange(n) < first, *(step if isinstance(step, tuple) else (step, step)))
    pull = sizes[:, None] * jacobian
    if rule == "consensus":
        pull = sizes[:, None] * (jacobian - gamma * jacobian.T @ jacobian)
    if rule in ("simultaneous", "consensus"):
        moved = [np.arange(n) < n]
    elif rule == "alternating":
        moved = [np.arange(n) < first] * updates[0] + [np.arange(n) >= first] * updates[1]
    elif rule == "extragradient":
        return one + pull @ (one + pull)
    elif rule == "optimistic":
        return np.block([[one + 2 * pull, -pull], [one, zero]])
    else:
        raise ValueError(f"no update matrix for {rule!r}")
    whole = np.eye(2 * n)
    for mine in moved:
        mask = np.diag(mine.astype(float))
        move = np.block([[one + mask @ pull, momentum * mask], [mask @ pull, momentum * mask + (one - mask)]])
        whole = move @ whole
    return whole if momentum else whole[:n, :n]


def update_jacobian(
    update: Callable[[np.ndarray], np.ndarray], point: np.ndarray, *, scale: float = 1e-3
) -> np.ndarray:
    """Returns the numeric Jacobian of an update map at a point, by central differences of sixth order (error about 1e-12 for smooth maps)."""
    point = np.asarray(point, dtype=float)
    columns = []
    for i in range(len(point)):
        unit = np.zeros(len(point))
        unit[i] = scale * max(1.0, abs(point[i]))
        slopes = [np.asarray(update(point + k * unit)) - np.asarray(update(point - k * unit)) for k in (1, 2, 3)]
        columns.append((45 * slopes[0] - 9 * slopes[1] + slopes[2]) / (60 * unit[i]))
    return np.stack(columns, axis=1)


def simulate(update: Callable[[np.ndarray], np.ndarray], start: Sequence[float] | np.ndarray, steps: int) -> np.ndarray:
    """Returns the trace (steps + 1, n) of an update map from a start; it ends early where it leaves the finite numbers."""
    trace = [np.asarray(start, dtype=float)]
    for _ in range(steps):
        trace.append(np.asarray(update(trace[-1]), dtype=float))
        if not np.isfinite(trace[-1]).all():
            break
    return np.stack(trace)


def read_multipliers(values: Sequence[complex] | np.ndarray, *, tolerance: float = NEUTRAL) -> LocalDynamics:
    """Returns the word for a discrete rule's multipliers."""
    values = np.asarray(values, dtype=complex)
    size = np.abs(values)
    leader = values[np.argmax(size + 1e-12 * (np.abs(values.imag) > 0))]
    largest, turn = float(size.max()), abs(float(np.angle(leader)))
    period = 2 * np.pi / turn if turn > 2 * np.pi * ROTATING_RATIO else None
    about = f"|mu| = {largest:.8g} a step" + (f", turning once in {period:.4g} steps" if period else "")
    if largest > 1 + tolerance:
        return LocalDynamics(Word.DIVERGING, largest, period, about)
    if largest < 1 - tolerance:
        return LocalDynamics(Word.CONVERGING, largest, period, about)
    word = Word.NEUTRAL_CYCLE if period else Word.UNCLEAR
    return LocalDynamics(word, largest, period, about + ": there is no linear rate, the nonlinear terms decide")


def read_eigenvalues(values: Sequence[complex] | np.ndarray, *, tolerance: float = NEUTRAL) -> LocalDynamics:
    """Returns the word for the continuous flow of a field whose Jacobian has these eigenvalues."""
    values = np.asarray(values, dtype=complex)
    scale = float(np.abs(values).max(initial=0.0)) or 1.0
    rightmost = float(values.real.max())
    leader = values[np.argmax(values.real + 1e-12 * np.abs(values.imag))]
    period = 2 * np.pi / abs(float(leader.imag)) if abs(leader.imag) > ROTATING_RATIO * scale else None
    about = f"rightmost eigenvalue {leader.real:.6g} ± {abs(leader.imag):.6g} i"
    if rightmost > tolerance * scale:
        return LocalDynamics(Word.DIVERGING, float(np.exp(rightmost)), period, about)
    if rightmost < -tolerance * scale:
        return LocalDynamics(Word.CONVERGING, float(np.exp(rightmost)), period, about)
    return LocalDynamics(
        Word.ROTATION if period else Word.UNCLEAR,
        1.0,
        period,
        about + ": no linear attraction, the nonlinear terms decide",
    )


def kind_of_equilibrium(
    eigenvalues: Sequence[complex] | np.ndarray,
    hessians: Sequence[tuple[float, float]],
    *,
    tolerance: float = NASH_TOLERANCE,
) -> str:
    """Says what a stationary point is, from the eigenvalues of v' and each player's own Hessian (smallest, largest eigenvalue).

    A stable point where a player's own loss still has a direction downwards is no local Nash equilibrium (Berard et al. 2020): that
    player would leave it if the other stood still.
    """
    values = np.asarray(eigenvalues, dtype=complex)
    slack = tolerance * float(np.abs(values).max(initial=0.0))
    nash = all(low >= -tolerance * max(abs(low), abs(high)) for low, high in hessians)
    rightmost = float(values.real.max())
    stable = "stable" if rightmost < -slack else "unstable" if rightmost > slack else "neutral"
    if nash:
        return {
            "stable": "stable local Nash equilibrium",
            "neutral": "local Nash equilibrium that does not attract to first order",
            "unstable": "local Nash equilibrium that repels gradient play",
        }[stable]
    return {
        "stable": "stable stationary point, but no Nash equilibrium",
        "neutral": "neutral point that is no Nash equilibrium",
        "unstable": "unstable point that is no Nash equilibrium",
    }[stable]


def _roots(total: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Both roots of mu^2 - total mu + product = 0, without cancellation."""
    root = np.sqrt(total**2 - 4 * product)
    root = np.where((np.conj(total) * root).real < 0, -root, root)
    large = (total + root) / 2
    return np.concatenate([large, np.where(large == 0, 0, product / np.where(large == 0, 1, large))])
