"""The errors that a user's mistake or a stranger's file raises; the command line turns each into one line and an exit code."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


class GandiagError(Exception):
    """Something went wrong that the message explains: what was found, what was expected, what to do next (exit code 3)."""

    exit_code = 3


class UsageError(GandiagError):
    """What the user asked for cannot be: an unknown name, a value out of range, two options that exclude each other (exit code 2)."""

    exit_code = 2


class RunError(GandiagError):
    """A folder is no run, or a run's files do not hold what they must."""


class NotRecorded(GandiagError, KeyError):
    """A quantity that was asked for was never measured in this run."""

    def __init__(self, name: str, why: str = "") -> None:
        self.name = name
        self.why = why
        super().__init__(name)

    def __str__(self) -> str:
        said = f"no {self.name[4:]} was recorded" if self.name.startswith("any ") else f"{self.name} was not recorded"
        return said + (f": {self.why}" if self.why else "")


def printable(text: str) -> str:
    """Returns a text without control characters, and without the halves of characters that stand for bytes of no encoding.

    A file's name may hold escape codes for the reader's terminal; line ends and tabs are kept.
    """
    return _UNPRINTABLE.sub("?", text)


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Returns ' (did you mean X?)' for the known word that is nearest to a mistyped one, or an empty string."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""
