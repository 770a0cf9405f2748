"""What was witnessed of a stranger's script between its optimizer steps: calls of networks, and turns of updates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

Network = frozenset[int]  # ids of its parameters: a wrapper and what it wraps are the same network


@dataclass(eq=False)
class Call:
    """One outermost call of a network that has parameters."""

    module: nn.Module
    owned: Network
    order: int
    sources: frozenset[Network]  # the networks whose outputs these inputs are
    with_grad: bool
    parents: frozenset[int]  # the order of the calls whose outputs these inputs are
    from_outside: bool  # some floating input of this call came from no network
    leaves: list[Any]  # the arguments, flattened; tensors detached, None once they are let go
    structure: Any  # how the leaves become arguments again
    shapes: list[tuple[int, ...]]  # of the tensors among the leaves
    outputs: list[Tensor]  # detached: they share the storage, and hold no graph; empty once they are let go
    output_shapes: list[tuple[int, ...]]
    score: Tensor | None  # what a discriminator's judgement would be
    operation: str  # what the score came out of
    made: tuple[bool, ...] = ()  # of the tensors among the leaves: whether a network made it
    score_is: int = 0  # which of the outputs the score is
    several_scores: bool = False  # of several scales, or on several batches: the score is the first
    # it was given two batches of one form, one of which a network made, and the graph tells whose verdict is whose
    tells_apart: bool = False
    # the networks that were given, not long before, what this call holds beside something else (a state beside an action)
    holds: frozenset[Network] = frozenset()
    pushed: int = 0  # where that may tell: 1 or -1 where every sample's score was pushed one way by the last such pass
    used: bool = False  # a backward pass went through its outputs
    balanced: bool = False  # of two values for each sample: their gradients cancel, as behind one softmax
    fed: dict[Network, int] = field(
        default_factory=dict
    )  # to whom this call's output went on, and which of its outputs

    handed_on: set[tuple[Network, int]] = field(
        default_factory=set
    )  # the same, of all outputs that went there together

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors among the arguments."""
        return [t for t in self.leaves if isinstance(t, Tensor)]

    @property
    def may_be_judged_by_what_was_given(self) -> bool:
        """Whether nothing but what it holds may tell whose batch it was given."""
        return self.with_grad and not self.sources

    @property
    def is_double(self) -> bool:
        """Whether it was given two batches of one form, one of which a network made, and returned several things."""
        return self.from_outside and bool(self.sources) and len(set(self.shapes)) < len(self.shapes)

    def let_go(self, small: int) -> None:
        """Drops what is large: the shapes stay."""
        self.outputs = []
        if self.score is not None and self.score.numel() > small:
            self.score = None
        if any(t.numel() > small for t in self.inputs):
            self.leaves = []


@dataclass(frozen=True)
class Turn:
    """One update by an optimizer, and what was called since the update before."""

    optimizer: Optimizer
    parameters: frozenset[int]
    calls: list[Call]
    repeats: int  # how many updates by this optimizer in a row end here
    fresh: bool = True  # False where nothing was called since the update before, and the calls are that one's
