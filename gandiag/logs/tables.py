"""Tables of rows, CSV, TSV and JSON, read as a log."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gandiag.errors import RunError, UsageError, did_you_mean
from gandiag.logs.log import Log, decoded, is_number, refuse_giants
from gandiag.logs.names import as_printed, counts_epochs, guess
from gandiag.run.layout import json_objects

if TYPE_CHECKING:
    import pandas as pd

MAX_COLUMNS = 10_000
DELIMITERS = (",", ";", "\t", "|")
# What is no number and yet was measured, in the words of Python, C and old C on Windows.
NOT_FINITE = r"[-+]?(?:nan(?:\(.*\))?|inf|infinity|1\.#\w+)"
TENSOR = r"^\s*tensor\(\s*\[?([^,\])]+)\]?[^)]*\)\s*$"  # 0-d tensors, printed as they are


def read_csv(file: Path, names: dict[str, str]) -> Log:
    """Reads a CSV or TSV file with a header: a column of steps where there is one, else the rows are the steps."""
    return read_columns(file, decoded(file), names)


def read_columns(file: Path, text: str, names: dict[str, str]) -> Log:
    """Reads a text of columns below a header, whatever parts them: commas, semicolons, tabs, bars or spaces."""
    import pandas as pd

    text = _from_header(text)
    if not text.strip():
        raise RunError(f"{file} holds no row yet: it is empty; CSV with a header line was expected")
    parted = "\t" if file.suffix.lower() == ".tsv" else _delimiter(*(text + "\n\n").split("\n", 2)[:2])
    try:
        table = _parsed(text, parted)
    except (ValueError, csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise RunError(
            f"{file} cannot be read as CSV ({str(error).splitlines()[0]}); a header line and one row a step were expected"
        ) from None
    if parted != ",":  # the comma is free to be the decimal point, as half of the world writes it
        table = table.replace(r"^\s*([-+]?\d+),(\d+(?:[eE][-+]?\d+)?)\s*$", r"\1.\2", regex=True)
    return from_table(file, table, names)


def _parsed(text: str, parted: str) -> pd.DataFrame:
    import pandas as pd

    def read(engine: Literal["c", "python"]) -> pd.DataFrame:
        return pd.read_csv(
            io.StringIO(text),
            sep=parted,
            engine=engine,
            on_bad_lines="skip",
            dtype=str,
            keep_default_na=False,  # an empty cell is absent, "nan" was measured
            index_col=False,
            skipinitialspace=True,
        )

    try:
        return read("c")
    except pd.errors.ParserError:  # a quotation mark that a torn last line has left open
        return read("python")


def _from_header(text: str) -> str:
    """Leaves out what stands before the header: empty lines and comments; a comment right above numbers is the header itself."""
    lines = text.lstrip("\n\r \ufeff").splitlines(keepends=True)
    at = 0
    while at + 1 < len(lines) and lines[at].startswith("#") and not re.match(r"\s*[-+.\d]", lines[at + 1]):
        at += 1
    return "".join(lines[at:]).lstrip("#").lstrip()


def _delimiter(header: str, row: str) -> str:
    """The mark that parts a header's names, outside quotation marks; white space where there is none and the row below has as many fields."""
    bare = re.sub(r'"[^"]*"', "", header)
    often = max(DELIMITERS, key=bare.count)
    if often in bare:
        return often
    return r"\s+" if 1 < len(bare.split()) == len(row.split()) else ","


def read_json(file: Path, names: dict[str, str]) -> Log:
    """Reads one JSON document: a list of objects, or an object of lists of equal length, as people keep their losses."""
    import pandas as pd

    refuse_giants(file)
    try:
        held = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RunError(f"{file} cannot be read as JSON ({error})") from None
    if isinstance(held, dict):
        lists = {name: values for name, values in held.items() if isinstance(values, list)}
        longest = max(map(len, lists.values()), default=0)
        held = [{name: values[i] for name, values in lists.items() if len(values) == longest} for i in range(longest)]
    rows = [dict(_flat(row)) for row in held if isinstance(row, dict)] if isinstance(held, list) else []
    if not rows:
        raise RunError(f"{file} is no log: a list of objects, or an object of lists of equal length, was expected")
    return from_table(file, pd.DataFrame(rows), names)


def read_json_lines(file: Path, names: dict[str, str]) -> Log:
    """Reads one JSON object a line; nested objects become names with slashes, {"mean": x} becomes x."""
    import pandas as pd

    return from_table(file, pd.DataFrame(list(read_lines(file))), names)


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    refuse_giants(file)
    for record in json_objects(file.read_bytes()):
        yield dict(_flat(record))


def _flat(record: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, float | str]]:
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and depth < 8:
            if is_number(value.get("mean")):
                yield name, float(value["mean"])
                if is_number(value.get("std")):
                    yield f"{name}/std", float(value["std"])
            else:
                yield from _flat(value, f"{name}/", depth + 1)
        elif isinstance(value, str | bool) or is_number(value):
            yield name, "nan" if value != value else value  # a NaN was measured; null and what is left out are absent


def from_table(file: Path, table: pd.DataFrame, names: dict[str, str]) -> Log:
    """Returns the log of a table whose columns may mean something by their names, by `names` first."""
    import pandas as pd

    if len(table.columns) > MAX_COLUMNS:
        raise RunError(f"{file} has {len(table.columns)} columns: this is no log of a training")
    if table.empty and (len(table.columns) or not file.stat().st_size):
        raise RunError(f"{file} holds no row yet: {'a header line alone' if len(table.columns) else 'it is empty'}")
    table = table.rename(columns=lambda c: str(c).strip())
    missing = [theirs for theirs in names if theirs not in table.columns]
    if missing:
        raise UsageError(
            f"{file} has no column {missing[0]!r}{did_you_mean(missing[0], [str(c) for c in table.columns])}; "
            f"it has {', '.join(str(c) for c in table.columns[:20])}"
        )
    meaning = {str(c): names.get(str(c)) or guess(str(c)) for c in table.columns}
    at = next((c for c, m in meaning.items() if m == "step"), None)
    epochs = None if at else _epochs(table, meaning)
    if epochs is not None:
        at, meaning[epochs] = epochs, "step"
    steps = pd.to_numeric(table[at], errors="coerce") if at else pd.Series(range(len(table)), index=table.index)
    series: dict[str, pd.Series] = {}
    for column, name in meaning.items():
        if name is None or name == "step" or name in series:
            continue
        text = table[column].astype(str).str.strip().str.lower()
        if text.str.startswith("tensor(").any():
            text = table[column] = text.str.replace(TENSOR, r"\1", regex=True)
        values = pd.to_numeric(table[column], errors="coerce")
        measured = values.notna() | text.str.fullmatch(NOT_FINITE) & table[column].notna()
        if column not in names:
            name = as_printed(column, name, values[measured])
        if name is None or name in series:
            continue
        column_series = _by_step(name, steps[measured], values[measured])
        if len(column_series):
            series[name] = column_series
        elif column in names:
            example = next((str(v) for v in table[column] if str(v).strip()), "")
            raise UsageError(f"{file}: the column {column!r} holds no number (it begins with {example[:40]!r})")
    empty = [column for column, name in meaning.items() if name not in (None, "step")]
    if not series and empty:
        example = next((str(v) for v in table[empty[0]] if str(v).strip()), "")
        raise RunError(f"{file}: the column {empty[0]!r} holds no number (it begins with {example[:40]!r})")
    if not series:
        raise RunError(
            f"{file} holds no column that is known here ({', '.join(str(c) for c in table.columns[:20])}); say which is which: "
            "--map d_loss=discriminator_loss --map g_loss=generator_loss"
        )
    ignored = tuple(c for c, m in meaning.items() if m is None)
    about = {"name": file.stem, "source": "log", "could_not_tell": []} | ({"steps_are": "epochs"} if epochs else {})
    return Log(file, about, series, ignored)


def _epochs(table: pd.DataFrame, meaning: Mapping[str, str | None]) -> str | None:
    """The column of epochs of a table with one row each; None where there is none, or where an epoch has several rows."""
    import pandas as pd

    for column in (c for c, m in meaning.items() if m is None and counts_epochs(c)):
        counted = pd.to_numeric(table[column], errors="coerce").dropna()
        if len(counted) > 1 and (counted.diff().dropna() > 0).all():
            return column
    return None


def _by_step(name: str, steps: pd.Series, values: pd.Series) -> pd.Series:
    import pandas as pd

    good = steps.notna() & (steps >= 0) & (steps < 2**53)
    column = pd.Series(
        values[good].to_numpy(dtype=float),
        index=pd.Index(steps[good].to_numpy().astype("int64"), name="step"),
        name=name,
    )
    return column[~column.index.duplicated(keep="last")].sort_index()
