"""Tells when an optimizer is about to use its gradients: torch's own through their pre-hook, others by their `step` method."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

Function = TypeVar("Function", bound=Callable[..., Any])


def untraced(function: Function) -> Function:
    """Keeps torch.compile out of a function and all that it calls: a compiled training step breaks there, and is not made of our code.

    As `torch.compiler.disable` does, which imports for seconds, also where nobody compiles.
    """
    function._torchdynamo_disable = True  # type: ignore[attr-defined]
    frames = torch._C._dynamo.eval_frame
    if hasattr(frames, "set_code_exec_strategy"):
        skip = frames._FrameExecStrategy(frames._FrameAction.SKIP, frames._FrameAction.SKIP)
        frames.set_code_exec_strategy(function.__code__, skip)
    return function


def watch(optimizer: Any, about_to_step: Callable[[], None], evaluates_again: Callable[[], None]) -> Callable[[], None]:
    """Calls `about_to_step` each time the optimizer is about to use the gradients; returns what undoes it.

    Where the gradients are computed in a closure, that is after the closure. One step may evaluate it several times (LBFGS): before each
    but the first `evaluates_again` is called.
    """
    if isinstance(optimizer, Optimizer) and hasattr(optimizer, "_optimizer_step_pre_hooks"):
        return optimizer.register_step_pre_hook(partial(_before_step, about_to_step, evaluates_again)).remove
    return _watch_method(optimizer, about_to_step, evaluates_again)


@untraced
def _before_step(
    about_to_step: Callable[[], None],
    evaluates_again: Callable[[], None],
    _: Optimizer,
    arguments: tuple[Any, ...],
    named: dict[str, Any],
) -> Any:
    # torch hands the optimizer itself over as the first argument
    if len(arguments) == 1 and not named:
        about_to_step()
        return None
    position = next((i for i, a in enumerate(arguments) if i > 0 and callable(a)), None)
    if position is not None:
        told = _after(arguments[position], about_to_step, evaluates_again)
        return (*arguments[:position], told, *arguments[position + 1 :]), named
    if callable(named.get("closure")):
        return arguments, {**named, "closure": _after(named["closure"], about_to_step, evaluates_again)}
    about_to_step()
    return None


@untraced
def _tell(about_to_step: Callable[[], None]) -> None:
    about_to_step()


def _after(closure: Callable[[], Any], then: Callable[[], None], again: Callable[[], None]) -> Callable[[], Any]:
    evaluated = False

    @wraps(closure)
    def both() -> Any:
        nonlocal evaluated
        if evaluated:
            _tell(again)
        evaluated = True
        result = closure()
        _tell(then)
        return result

    return both


def _watch_method(
    optimizer: Any, about_to_step: Callable[[], None], evaluates_again: Callable[[], None]
) -> Callable[[], None]:
    inner = optimizer.step
    own = "step" in vars(optimizer)

    @wraps(inner)
    def step(*arguments: Any, **named: Any) -> Any:
        changed = _before_step(about_to_step, evaluates_again, optimizer, (optimizer, *arguments), named)
        if changed is not None:
            (_, *arguments), named = changed
        return inner(*arguments, **named)

    optimizer.step = step

    def undo() -> None:
        if own:
            optimizer.step = inner
        elif vars(optimizer).get("step") is step:
            del optimizer.step

    return undo
