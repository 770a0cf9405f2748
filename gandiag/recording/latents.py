"""What a generator is fed: each tensor's law over the calls that were seen, and fresh arguments drawn from it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

UNIFORM_KURTOSIS = (1.5, 2.3)  # a uniform law has 1.8, a coin 1.0, a normal one 3.0
NORMAL_KURTOSIS = (2.3, 4.5)
ENOUGH_VALUES = 16
MOST_RANKED = 4096  # values
# the quantile at 0.1 % of Kolmogorov's statistic, and what a law may differ by and be meant (one that is cut off far out)
KOLMOGOROV, UNLIKE = 1.95, 0.02
MOST_COLUMNS, MOST_TOGETHER = 64, 0.25
MOST_CORRELATED = 0.1  # neighbouring values of noise; in images it is above 0.5
MOST_ROWS, MOST_VALUES = 2048, 2**22  # of inputs of no known law that are kept: large images are few
KEPT_CALLS = 8  # of the generator: what it was given last
ROUND_WITHIN = 0.15  # standard deviations: N(0, 1) is meant where the sample says N(0.03, 0.98)


def latent_kinds(generator: nn.Module, made: Sequence[Any]) -> list[dict[str, Any]]:
    """Describes each tensor that the generator is called with, over the calls that were seen."""
    if takes_single_samples(made[-1]):
        return [latent_kind([c.inputs[i].unsqueeze(0) for c in made]) for i in range(len(made[-1].inputs))]
    last = made[-1]
    batches: list[tuple[int, ...]] = [c.output_shapes[0][:1] for c in made]
    usual = max(batches, key=batches.count)  # samples for show are drawn in other batch sizes, by other laws
    alike = [c for c, b in zip(made, batches) if b == usual and c.structure == last.structure] or [last]
    kinds: list[dict[str, Any]] = []
    for i, tensor in enumerate(last.inputs):
        if not tensor.ndim or not usual or tensor.shape[0] != last.output_shapes[0][0]:
            kinds.append(
                {"shape": list(tensor.shape), "kind": "constant"}
            )  # not one a sample: a blending weight, a step number
        else:
            kind = latent_kind([c.inputs[i] for c in alike if c.inputs[i].shape[1:] == tensor.shape[1:]])
            if any(c.made[i] for c in alike if i < len(c.made)) and kind["kind"] in ("normal", "uniform"):
                kind["kind"] = "unknown"  # what another network made is no noise, whatever its values look like
            kinds.append(kind)
    tables = [m.num_embeddings for m in generator.modules() if isinstance(m, nn.Embedding)]
    for kind in kinds:
        if kind["kind"] == "label" and tables:
            kind["classes"] = max(kind["classes"], min(tables))
    return kinds


def takes_single_samples(call: Any) -> bool:
    """Tells whether a generator was called on one sample without an axis for the batch: vectors in, a vector of another length out."""
    made = call.output_shapes[0]
    return len(made) == 1 and bool(call.shapes) and all(len(s) == 1 and s != made for s in call.shapes)


def latent_kind(batches: list[Tensor]) -> dict[str, Any]:
    """Describes one input of the generator: its shape beyond the batch, and how its values are distributed.

    A normal and a uniform law are told apart by their fourth moment (3 and 1.8 times the squared variance). Columns that hold a
    one-hot code beside noise are named in `one_hot`.
    """
    shape = list(batches[-1].shape[1:])
    if not batches[-1].is_floating_point() and not _is_one_hot(batches):
        return {"shape": shape, "kind": "label", "classes": max(int(t.max()) for t in batches if t.numel()) + 1}
    values = torch.cat([t.float().reshape(len(t), -1) for t in batches])
    binary = ((values == 0) | (values == 1)).all(0)
    code = torch.nonzero(binary).flatten()
    coded = len(code) > 1 and bool((values[:, code].sum(1) == 1).all())
    if coded and len(code) == values.shape[1]:
        return {"shape": shape, "kind": "one-hot", "classes": values.shape[1]}
    facts: dict[str, Any] = {"shape": shape}
    if coded:
        facts["one_hot"] = code.tolist()
        values = values[:, ~binary]
    low, high, mean, sd = (float(x) for x in (values.min(), values.max(), values.mean(), values.std(unbiased=False)))
    return {**facts, "kind": law_of(values, mean, sd, high - low), "low": low, "high": high, "mean": mean, "sd": sd}


def _is_one_hot(batches: list[Tensor]) -> bool:
    """Tells whether whole numbers are one-hot codes, one for each sample."""
    values = torch.cat([t.reshape(len(t), -1) for t in batches])
    return values.shape[1] > 1 and bool(((values == 0) | (values == 1)).all()) and bool((values.sum(1) == 1).all())


def law_of(values: Tensor, mean: float, sd: float, width: float) -> str:
    """Names the law of values: normal, uniform or unknown."""
    if values.numel() < ENOUGH_VALUES or not sd > 0:
        return "unknown"
    standard = (values - mean) / sd
    pairs = (standard[:, 1:] * standard[:, :-1]).flatten()
    if pairs.numel() > ENOUGH_VALUES and abs(float(pairs.mean())) > max(4 / pairs.numel() ** 0.5, MOST_CORRELATED):
        return "unknown"  # neighbouring values go together: an image, not noise
    kurtosis = float(standard.pow(4).mean())
    if UNIFORM_KURTOSIS[0] <= kurtosis < UNIFORM_KURTOSIS[1] and width < 4 * sd:
        law = "uniform"
    elif NORMAL_KURTOSIS[0] <= kurtosis < NORMAL_KURTOSIS[1]:
        law = "normal"
    else:
        return "unknown"
    return law if is_of(standard, law) and not columns_hang_together(standard) else "unknown"


def is_of(standard: Tensor, law: str) -> bool:
    """Tells whether standardised values follow a law in all their shape (Kolmogorov-Smirnov), and not in their fourth moment alone.

    Data that are translated (points on a ring, say) can have the moments of noise.
    """
    values = standard.flatten().double()
    values = values[:: -(-len(values) // MOST_RANKED)].sort().values
    if law == "normal":
        share = torch.special.ndtr(values)
    else:
        share = (values - values[0]) / (values[-1] - values[0])
    ranks = torch.arange(len(values) + 1, dtype=torch.float64, device=values.device) / len(values)
    apart = float(torch.maximum((ranks[1:] - share).max(), (share - ranks[:-1]).max()))
    return apart < KOLMOGOROV / len(values) ** 0.5 + UNLIKE


def columns_hang_together(standard: Tensor) -> bool:
    """Tells whether columns, or how far out they are, go together: those of noise are drawn one by one."""
    rows, columns = standard.shape[0], min(standard.shape[1], MOST_COLUMNS)
    if columns < 2 or rows < ENOUGH_VALUES:
        return False
    chance = 5 * (2 * math.log(columns)) ** 0.5 / rows**0.5  # the largest of so many pairs by chance is well below
    for values in (standard[:, :columns], standard[:, :columns].square()):
        matrix = torch.corrcoef(values.T).fill_diagonal_(0).nan_to_num()
        if float(matrix.abs().max()) > max(chance, MOST_TOGETHER):
            return True
    return False


class Feed:
    """Makes fresh arguments for the generator, in the form in which the script calls it.

    What another network makes (a code, a style) changes as that one learns, and a number (a stage, a blending weight) as the training goes
    on: of these the last that passed by are taken. What is of no known law, data that are translated say, is drawn from all that passed by.
    """

    def __init__(self, made: Sequence[Any], kinds: Sequence[Mapping[str, Any]]) -> None:
        self.kinds = tuple(kinds)
        self._structure = made[-1].structure
        self._leaves = [t.clone() if isinstance(t, Tensor) else t for t in made[-1].leaves]
        alike = [c for c in made if [s[1:] for s in c.shapes] == [s[1:] for s in made[-1].shapes]]
        self._single = takes_single_samples(made[-1])
        together = torch.stack if self._single else torch.cat
        self._seen = [
            together([c.inputs[i] for c in alike]) if kind["kind"] == "unknown" else t.clone()
            for i, (kind, t) in enumerate(zip(self.kinds, made[-1].inputs))
        ]
        self._aging = [
            kind["kind"] == "constant" or (kind["kind"] == "unknown" and any(c.made[i] for c in alike))
            for i, kind in enumerate(self.kinds)
        ]
        self._last: deque[list[Any]] = deque(maxlen=KEPT_CALLS)

    @property
    def ages(self) -> bool:
        """Whether some of what the generator is given is other later than at first."""
        unknown = any(kind["kind"] == "unknown" for kind in self.kinds)
        return not self._single and (unknown or any(self._aging) or any(map(_is_number, self._leaves)))

    def see(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Keeps what the script gives the generator, where it has the form in which it was called at first."""
        leaves, structure = tree_flatten((tuple(arguments), dict(named)))
        if structure != self._structure or [*map(type, leaves)] != [*map(type, self._leaves)]:
            return
        self._last.append([t.detach() if isinstance(t, Tensor) else t for t in leaves])
        values = sum(t.numel() for t in leaves if isinstance(t, Tensor))
        while len(self._last) > 1 and len(self._last) * values > MOST_VALUES:
            self._last.popleft()

    def _renew(self) -> None:
        """Takes of all that ages what was given last in place of what was given at first."""
        if not self._last:
            return
        calls = [[t for t in leaves if isinstance(t, Tensor)] for leaves in self._last]
        self._leaves = [new if _is_number(old) else old for old, new in zip(self._leaves, self._last[-1])]
        self._last.clear()
        for i, (kind, aging) in enumerate(zip(self.kinds, self._aging)):
            if aging and kind["kind"] == "constant":
                self._seen[i] = calls[-1][i].clone()
            elif kind["kind"] == "unknown":
                alike = [c[i] for c in calls if c[i].shape[1:] == calls[-1][i].shape[1:]]
                before = [] if aging or self._seen[i].shape[1:] != alike[-1].shape[1:] else [self._seen[i]]
                rows = max(len(alike[-1]), MOST_VALUES // max(math.prod(alike[-1].shape[1:]), 1))
                self._seen[i] = torch.cat([*before, *alike])[-min(MOST_ROWS, rows) :].clone()

    def draw(self, count: int, random: np.random.Generator) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Returns positional and named arguments for `count` samples; inputs of no known law are those that passed by, row by row."""
        self._renew()
        rows = max((len(t) for k, t in zip(self.kinds, self._seen) if k["kind"] == "unknown"), default=1)
        chosen = random.choice(rows, count, replace=count > rows)
        drawn = iter([self._one(k, t, count, chosen, random) for k, t in zip(self.kinds, self._seen)])
        leaves = [next(drawn) if isinstance(leaf, Tensor) else leaf for leaf in self._leaves]
        arguments, named = tree_unflatten(leaves, self._structure)
        return tuple(arguments), dict(named)

    @staticmethod
    def _one(
        kind: Mapping[str, Any], seen: Tensor, count: int, chosen: np.ndarray, random: np.random.Generator
    ) -> Tensor:
        shape = (count, *kind["shape"])
        if kind["kind"] == "constant":
            return seen
        if kind["kind"] == "unknown":
            return seen[torch.as_tensor(chosen % len(seen)).to(seen.device)]
        if kind["kind"] == "label":
            values: Any = random.integers(0, max(int(kind["classes"]), 1), shape)
        elif kind["kind"] == "one-hot":
            values = np.eye(int(kind["classes"]))[random.integers(0, int(kind["classes"]), count)].reshape(shape)
        elif kind["kind"] == "normal":
            values = random.normal(*_round_law(kind["mean"], kind["sd"]), shape)
        else:
            values = random.uniform(_round_end(kind["low"], kind), _round_end(kind["high"], kind), shape)
        if kind.get("one_hot"):
            code = kind["one_hot"]
            values.reshape(count, -1)[:, code] = np.eye(len(code))[random.integers(0, len(code), count)]
        return torch.as_tensor(values, dtype=seen.dtype).to(seen.device)


def _is_number(leaf: Any) -> bool:
    return type(leaf) in (int, float)


def _round_law(mean: float, sd: float) -> tuple[float, float]:
    return (0.0 if abs(mean) < ROUND_WITHIN * sd else mean), (1.0 if abs(sd - 1) < ROUND_WITHIN else sd)


def _round_end(value: float, kind: Mapping[str, Any]) -> float:
    width = float(kind["high"]) - float(kind["low"])
    near = min((-1.0, 0.0, 1.0), key=lambda end: abs(end - value))
    return near if abs(near - value) < 0.1 * width else value
