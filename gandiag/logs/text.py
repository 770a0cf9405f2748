"""What a loop printed, read as a log: `[3/25][200/938] Loss_D: 0.61 Loss_G: 2.1 D(G(z)): 0.22`, in whatever words, tqdm's bars too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from gandiag.errors import RunError, UsageError, did_you_mean
from gandiag.logs.log import Log, decoded
from gandiag.logs.names import counts_epochs, guess
from gandiag.logs.tables import from_table, read_columns

MAX_LINE = 2000  # characters; what is longer was not printed for people
# letters that what is left of a name must have to mean something by itself: "this is: 5" is no inception score
SURE = 3
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLACE = re.compile(
    r"(?<![\d./])(\d{1,12})\s*/\s*(\d{1,12})(?![\d./])"
)  # 3/25: this epoch of so many, this batch of so many
_NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
_PAIR = re.compile(rf"([^\W\d][^\[\]|,;:=\t\n]{{0,60}}?)\s*[:=]\s*(?:tensor\()?({_NUMBER})(?![\w.:])", re.IGNORECASE)


def read_text(file: Path, names: dict[str, str]) -> Log:
    """Reads the lines that name a number which is known here. `[epoch/epochs] [batch/batches]` gives the steps, else the lines are counted."""
    import pandas as pd

    text = decoded(file)
    found = list(_rows(text, names))
    if not found and (table := _columns(file, text, names)) is not None:
        return table
    seen = {theirs for row, _ in found for theirs in row}
    missing = [theirs for theirs in names if theirs not in seen]
    if missing:
        raise UsageError(f"{file} names no number {missing[0]!r}{did_you_mean(missing[0], sorted(seen))}")
    if not text.strip():
        raise RunError(f"{file} holds no line yet: it is empty")
    if not found:
        raise RunError(
            f"{file} has no line with a number that is known here (such as `d_loss: 0.69`); say which is which: --map 'Loss D=discriminator_loss'"
        )
    table = pd.DataFrame([row for row, _ in found]).dropna(axis="columns", how="all")
    steps = _steps([place for _, place in found])
    if steps is not None and not any(names.get(c) == "step" or guess(c) == "step" for c in table.columns):
        alone = all(len(place) == 1 for _, place in found) and "epoch" not in table.columns
        table.insert(0, "epoch" if alone and _names_epochs(text) else "step", steps)
    return from_table(file, table, names)


def _names_epochs(text: str) -> bool:
    """Whether what stands before `3/25` in a text is the word epoch."""
    return re.search(r"\bepochs?\W{0,3}\d+\s*/\s*\d", text, re.IGNORECASE) is not None


def _columns(file: Path, text: str, names: dict[str, str]) -> Log | None:
    """A table under a header in a file whose name does not say so, None where it is none either."""
    try:
        return read_columns(file, text, names)
    except (RunError, UsageError):
        return None


def _rows(text: str, names: Mapping[str, str]) -> Iterator[tuple[dict[str, str], list[tuple[int, int]]]]:
    """Yields of each line that says something its numbers by their names, and the places `(a, b)` of `a/b` in it."""
    for line in re.split(r"[\r\n]+", text):
        line = _COLOUR.sub("", line)
        if not line.strip() or len(line) > MAX_LINE:
            continue
        row: dict[str, str] = {}
        for match in _PAIR.finditer(line):
            name = _meant(match[1], names)
            if name is not None:
                row.setdefault(name, match[2].lower())  # `D(G(z)): 0.4 / 0.3`: the first is before the update
        if any(names.get(name, guess(name)) not in (None, "step") for name in row):
            yield row, [(int(a), int(b)) for a, b in _PLACE.findall(line)]


def _meant(name: str, names: Mapping[str, str]) -> str | None:
    """The end of what stands before a number that has a meaning: of `INFO train D loss` the words `D loss`."""
    words = name.split()
    for start in range(len(words)):
        rest = " ".join(words[start:])
        if rest in names or counts_epochs(rest):
            return rest
        if guess(rest) is not None and (start == 0 or len(re.sub(r"\W", "", rest)) >= SURE):
            return rest
    return None


def _steps(places: list[list[tuple[int, int]]]) -> list[int] | None:
    """The step of each line by its places, None where they do not tell it: they must be everywhere and must never go back."""
    if not all(places):
        return None
    pair = all(len(place) > 1 for place in places)
    steps = [(p[0][0] - places[0][0][0]) * p[1][1] + p[1][0] if pair else p[0][0] for p in places]
    forwards = all(a <= b for a, b in pairwise(steps)) and steps[-1] > steps[0]
    return steps if forwards or len(steps) == 1 else None
