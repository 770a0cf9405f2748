"""Whether a player's optimizer goes down or up along the gradients of its backward passes: some loops ascend.

The original algorithm ascends D's stochastic gradient: `maximize=True`, gradients that the loop turns round before the optimizer takes them,
an optimizer of the user's own. What the player pushes is then the contrary of what the pass shows. It is read off one parameter in the
first updates: the gradient that the pass had computed for it, and where the optimizer takes it. torch's own optimizers go down the gradient that
they are given, or up it; of any other it is seen how the values moved, which momentum from elsewhere (a lazy penalty's) may outweigh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gandiag.recording.capture import Capture
from gandiag.recording.optimizers import untraced
from gandiag.recording.passes import Pass
from gandiag.recording.player import Player

UPDATES = 16  # in which it is looked
VALUES = 4096  # of the parameter that is looked at, at most: it is copied
UP = 0.2  # mean cosine of its change with its gradient, from which on the player is said to ascend; a plain step down is at -1

PARALLEL = 0.999  # cosine, from which on a gradient is the same one, clipped or scaled


class Way:
    """One player's way: `sign` is 1 where it descends and -1 where it ascends, 0-d on its device; None where it is not known."""

    def __init__(self, player: Player, capture: Capture) -> None:
        self._player, self._capture = player, capture
        self.sign: Tensor | None = None
        self._total: Tensor | None = None
        self._count = self._looked = 0
        # the passes that computed a gradient for it since the last update, and before that: which, and whether they reached G
        self._fired: list[tuple[int, bool]] = []
        self._used: list[tuple[int, bool]] = []
        self._start: Tensor | None = None
        self._change: Tensor | None = None
        self._parameter = _some_parameter(player)
        self._undo: list[Callable[[], None]] = []
        optimizer: Any = player.optimizer
        self._is_torchs = type(optimizer).__module__.startswith("torch.optim.")
        if self._parameter is not None and optimizer is not None:
            self._undo = [self._parameter.register_hook(self._at_parameter).remove]
            if not self._is_torchs and hasattr(
                optimizer, "register_step_post_hook"
            ):  # else its move is read at the step's end
                self._undo.append(optimizer.register_step_post_hook(self._stepped).remove)

    @property
    def looks(self) -> bool:
        """Whether it is still being looked."""
        return bool(self._undo)

    def ascends(self) -> bool:
        """Whether the player was seen to go up; asks the device, at the end of a run."""
        return self.sign is not None and bool(self.sign < 0)

    def remove(self) -> None:
        """Takes the hooks away."""
        for undo in self._undo:
            undo()
        self._undo = []
        self._start = self._change = None
        self._fired, self._used = [], []

    def differs_from(self, passes: Sequence[Pass]) -> bool | None:
        """Tells, as the player is about to be stepped, whether its gradient is another than these passes have computed, but for its size.

        None where that is not looked at any more, or asking would wait for the device.
        """
        held = None if self._parameter is None else self._parameter.grad
        slopes = [p.slopes[self._player.who] for p in passes if p.slopes and self._player.who in p.slopes]
        if (
            not self._undo
            or held is None
            or not slopes
            or held.device.type != "cpu"
            or held.layout is not torch.strided
        ):
            return None
        slope = torch.stack(slopes).sum(0).float().flatten()
        along = torch.nn.functional.cosine_similarity(slope, held.float().flatten(), dim=0)
        return bool(along.abs() < PARALLEL)

    def about_to_step(self) -> None:
        """Notes where the parameter is as its optimizer is about to move it."""
        if not self._undo or self._parameter is None:
            return
        self._looked += 1
        if self._looked > UPDATES:
            self.remove()
            return
        self._used, self._fired = self._fired, []
        held = self._parameter.grad
        if self._is_torchs and held is not None and held.layout is torch.strided:
            self._start, self._change = None, held.detach().clone() if self._goes_up() else -held.detach()
        else:
            self._start, self._change = self._parameter.detach().clone(), None

    def _goes_up(self) -> bool:
        """Tells whether the optimizer, one of torch's own, was told to ascend the parameter's gradient."""
        groups = self._player.optimizer.param_groups
        return any(g.get("maximize", False) and any(p is self._parameter for p in g["params"]) for g in groups)

    def stepped_aside(self) -> None:
        """Notes a step by other gradients than the game's: what moves by momentum moves by those as well for long."""
        if self._undo and not self._is_torchs and self._count:
            self.remove()

    @untraced
    def _stepped(self, *_: Any) -> None:
        if self._start is not None and self._parameter is not None:
            self._change, self._start = self._parameter.detach() - self._start, None

    @untraced
    def _at_parameter(self, gradient: Tensor | None) -> None:
        if self._capture.muted or gradient is None:  # an operation of the loop's own had none for it
            return
        one = self._capture.passes.running()
        self._fired.append((id(one), one is not None and one.reached_generator))
        if one is not None:
            one.slopes = {**(one.slopes or {}), self._player.who: gradient.detach().clone()}

    def learn(self, passes: Sequence[Pass]) -> None:
        """Takes the step's last update into account, whose passes these are; not where others have added to its gradient."""
        self._stepped()
        change, self._change = self._change, None
        who = self._player.who
        slopes = [p.slopes[who] for p in passes if p.slopes and who in p.slopes]
        if change is None or not slopes:
            return
        mine = {id(p) for p in passes}
        # G's part of D's gradient is cleared before D's turn
        others = [one for one, of_g in self._used if one not in mine and not (of_g and who == "discriminator")]
        if others and self._capture.passes.fills:
            return
        slope = torch.stack(slopes).sum(0).float().flatten()
        along = torch.nn.functional.cosine_similarity(slope, change.float().flatten(), dim=0).nan_to_num(0.0)
        self._total = along if self._total is None else self._total + along
        self._count += 1
        self.sign = 1.0 - 2.0 * (self._total > UP * self._count).float()


def _some_parameter(player: Player) -> Tensor | None:
    """Returns the largest trainable parameter that is small enough to be copied; None where there is none."""
    fitting = [
        p
        for p in player.parameters
        if p.requires_grad
        and p.is_leaf
        and p.layout is torch.strided
        and p.is_floating_point()
        and 0 < _size(p) <= VALUES
    ]
    return max(fitting, key=_size, default=None)


def _size(parameter: Tensor) -> int:
    try:
        return parameter.numel()
    except (RuntimeError, ValueError):  # a lazy layer's, which has no shape yet
        return 0
