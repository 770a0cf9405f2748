"""The promise of a hook: whatever goes wrong in one of ours, the training goes on, and run.json says so."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Hook = TypeVar("Hook", bound=Callable[..., Any])


def guarded(hook: Hook) -> Hook:
    """Makes a method a hook that cannot raise into the training: its owner's `give_up` is told instead, which may say no.

    Hooks are called without named arguments, which would cost each call a dictionary.
    """

    @wraps(hook)
    def safe(self: Any, *arguments: Any) -> Any:
        try:
            return hook(self, *arguments)
        except Exception as error:
            if not self.give_up(hook.__name__.strip("_"), error):
                raise

    return safe  # type: ignore[return-value]  # the same signature, as `wraps` says


def until_it_fails(hook: Callable[..., None], told: Callable[[str, Exception], Any]) -> Callable[..., None]:
    """Makes a function a hook that cannot raise into the training: after the first failure `told` knows, and it does nothing any more."""
    failed: list[Exception] = []

    @wraps(hook)
    def safe(*arguments: Any, **named: Any) -> None:
        if failed:
            return
        try:
            hook(*arguments, **named)
        except Exception as error:
            failed.append(error)
            told(hook.__name__.strip("_"), error)

    return safe


def warned(where: str, error: BaseException) -> None:
    """Warns that a hook has failed which no recording is told of."""
    warn(f"gandiag: something unexpected happened in gandiag's own hook ({where}: {type(error).__name__}: {error})")


def warn(sentence: str) -> None:
    """Warns; where warnings are made errors, the sentence goes to standard error: a training must not fall because of it."""
    try:
        warnings.warn(sentence, RuntimeWarning, stacklevel=4)
    except RuntimeWarning:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{sentence}\n")


def warn_once(path: Any, where: str, error: BaseException) -> str:
    """Warns that the watching ended, and returns the sentence for run.json."""
    sentence = (
        f"something unexpected happened in gandiag's own hook ({where}: {type(error).__name__}: {error}): "
        "from then on nothing was captured; what step() was given is recorded on"
    )
    warn(f"gandiag: {sentence}. The training is not touched; please report this. The run: {path}")
    return sentence
