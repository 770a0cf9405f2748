"""Leading eigenvalues of a matrix that is known only by its products: restarted Arnoldi (Krylov-Schur) with residual bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

Multiply = Callable[[Tensor], Tensor]

KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # what may lead; the higher, the further ahead
    "largest": np.abs,
    "rightmost": np.real,
    "leftmost": lambda values: -np.real(values),
    "rotating": lambda values: np.abs(np.imag(values)),
}
BASIS_NUMBERS = 2**25  # 128 MiB of float32: a longer basis needs fewer products, a restart costs a few
SMALLEST_BASIS = 48
BREAKDOWN = 1e-10  # a new direction this small against the product that made it is rounding: the subspace is invariant (float64)


@dataclass(frozen=True)
class Eigenvalues:
    """Ritz values with the norm of each residual, A x - value x for the unit vector x that belongs to it.

    Each value is exact for a matrix that differs from A by no more than its residual (backward error).
    """

    values: np.ndarray  # (k,) complex
    residuals: np.ndarray  # (k,) float, same order
    products: int  # how many products with the matrix were used

    def leading(self, kind: str, count: int) -> Eigenvalues:
        """Returns the `count` that lead by one of KINDS, the leader first; of a conjugate pair the one above the axis comes first."""
        order = _order(self.values, kind)[:count]
        return Eigenvalues(self.values[order], self.residuals[order], self.products)


def eigenvalues(
    multiply: Multiply,
    start: Tensor,
    *,
    kinds: tuple[str, ...] = ("largest",),
    count: int = 6,
    products: int = 300,
    tolerance: float = 1e-8,
    basis: int | None = None,
) -> Eigenvalues:
    """Returns Ritz values of the linear map `multiply` on vectors like `start` (n,), with what leads by each of `kinds` refined first.

    Stops when the `count` leaders of every kind have residuals below `tolerance` times the largest |value|, when the subspace is the
    whole space, or after `products` products. At most `basis` vectors are kept (by default what fits into BASIS_NUMBERS, at least 48):
    beyond that the subspace is restarted (Krylov-Schur, Stewart 2001). An invariant subspace is left by a new random direction, so that
    multiple eigenvalues are found as often as they occur.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"unknown kind of leading eigenvalue {sorted(unknown)}; known: {', '.join(KINDS)}")
    basis = basis or max(BASIS_NUMBERS // start.numel(), SMALLEST_BASIS)
    subspace = _Subspace(multiply, start, basis=min(basis, products, start.numel()))
    while True:
        subspace.extend()
        whole = subspace.size == start.numel()
        if not (whole or subspace.used >= products or subspace.size == subspace.limit or subspace.size >= count + 2):
            continue
        found = subspace.ritz()
        if whole or subspace.used >= products or _settled(found, kinds, count, tolerance):
            return found
        if subspace.size == subspace.limit:
            subspace.restart(kinds, count)


class _Subspace:
    """An orthonormal basis V with A V = V B + v b^T: v is the next direction, b the residual row (live state of one search)."""

    def __init__(self, multiply: Multiply, start: Tensor, *, basis: int) -> None:
        self.multiply, self.limit, self.used, self.size = multiply, basis, 0, 0
        self.random = torch.Generator().manual_seed(20260)
        self.vectors = torch.empty(basis + 1, start.numel(), dtype=start.dtype, device=start.device)
        self.vectors[0] = start / start.norm()
        self.b = np.zeros((basis + 1, basis))  # B, and in row `size` the residual row
        self.rounding = torch.finfo(start.dtype).eps

    def extend(self) -> None:
        """Adds one direction: one product, orthogonalised twice against all that there is (real arithmetic throughout)."""
        k = self.size
        image = self.multiply(self.vectors[k]).to(self.vectors.dtype)
        if not bool(torch.isfinite(image).all()):
            raise FloatingPointError(
                "a product with the Jacobian is NaN or infinite: the game has no finite second derivatives here"
            )
        before = float(image.norm())
        column = torch.zeros(k + 1, dtype=image.dtype, device=image.device)
        for _ in range(2):
            part = self.vectors[: k + 1] @ image
            image = image - part @ self.vectors[: k + 1]
            column += part
        length = float(image.norm())
        self.b[: k + 1, k] = column.double().cpu().numpy()
        self.used += 1
        self.size = k + 1
        if length > max(BREAKDOWN, 4 * self.rounding) * max(before, self._scale()):
            self.b[k + 1, k] = length
            self.vectors[k + 1] = image / length
        else:
            self.b[k + 1, k] = 0.0
            self._fresh_direction()

    def ritz(self) -> Eigenvalues:
        """Returns all Ritz values with their residuals; rounding of the basis' own precision is part of the bound."""
        k = self.size
        values, vectors = np.linalg.eig(self.b[:k, :k])
        residuals = np.abs(self.b[k, :k] @ vectors) if k < self.vectors.shape[1] else np.zeros(k)
        floor = self.rounding * self._scale()
        return Eigenvalues(values.astype(complex), np.hypot(residuals, floor), self.used)

    def restart(self, kinds: tuple[str, ...], count: int) -> None:
        """Keeps the part of the subspace that belongs to the leaders (and a few more), lets the rest go."""
        k = self.size
        values = np.linalg.eigvals(self.b[:k, :k])
        keep: set[int] = set()
        for extra in range(count + 1, k):
            chosen = {int(i) for kind in kinds for i in _order(values, kind)[:extra]}
            if keep and len(chosen) > k * 2 // 3:
                break
            keep = chosen
        wanted, others = values[sorted(keep)], values[[i for i in range(k) if i not in keep]]

        def kept(real: float, imaginary: float = 0.0) -> bool:
            value = complex(real, abs(imaginary))
            near = np.abs(np.where(wanted.imag < 0, wanted.conj(), wanted) - value).min()
            return bool(near <= np.abs(np.where(others.imag < 0, others.conj(), others) - value).min(initial=np.inf))

        form, rotation, size = scipy.linalg.schur(self.b[:k, :k], output="real", sort=kept)
        size = min(size, k - 2)
        if form[size, size - 1] != 0:  # never cut a conjugate pair
            size -= 1
        row = self.b[k, :k] @ rotation[:, :size]
        turn = torch.from_numpy(np.ascontiguousarray(rotation[:, :size].T)).to(self.vectors)
        self.vectors[:size] = turn @ self.vectors[:k]
        self.vectors[size] = self.vectors[k].clone()
        self.b[:] = 0
        self.b[:size, :size] = form[:size, :size]
        self.b[size, :size] = row
        self.size = size

    def _scale(self) -> float:
        return float(np.linalg.norm(self.b[: self.size, : self.size], 2)) if self.size else 0.0

    def _fresh_direction(self) -> None:
        k = self.size
        if k >= self.vectors.shape[1]:
            return
        fresh = torch.randn(self.vectors.shape[1], generator=self.random, dtype=torch.float64).to(self.vectors)
        for _ in range(2):
            fresh = fresh - (self.vectors[:k] @ fresh) @ self.vectors[:k]
        self.vectors[k] = fresh / fresh.norm()


def _order(values: np.ndarray, kind: str) -> np.ndarray:
    """Sorts by the kind's score; ties (to rounding) by |value|, then the member of a pair above the axis first."""
    score = KINDS[kind](values)
    grain = 1e-9 * (np.abs(values).max(initial=0.0) or 1.0)
    return np.lexsort((-np.imag(values), -np.round(np.abs(values) / grain), -np.round(score / grain)))


def _settled(found: Eigenvalues, kinds: tuple[str, ...], count: int, tolerance: float) -> bool:
    scale = np.abs(found.values).max(initial=0.0)
    return all((found.leading(kind, count).residuals <= tolerance * scale).all() for kind in kinds)
