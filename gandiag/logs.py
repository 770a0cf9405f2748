"""Other people's logs (CSV, JSON lines, stylegan's folders, TensorBoard) read as a run: what is in them can be judged, the rest is absent."""

from __future__ import annotations

import csv
import json
import os
import re
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandiag.errors import NotRecorded, RunError, UsageError, did_you_mean
from gandiag.quantities import QUANTITIES, quantity
from gandiag.run import Run, load_run

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 1024**3  # a log beyond a gigabyte is refused: it is read into memory
MAX_COLUMNS = 10_000
MAX_BATCH, MAX_KIMG = 10**9, 1e12  # of a StyleGAN training; beyond, the file is damaged
STEP_NAMES = (
    "step",
    "steps",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "globalstep",
    "trainerglobalstep",
    "totaliterations",
    "batchesdone",
    "nimg",
    "it",
)
# Columns that everybody names alike, in lower case and without punctuation -> our series.
KNOWN_NAMES: dict[str, str] = {
    **dict.fromkeys(
        (
            "dloss",
            "lossd",
            "errd",
            "discloss",
            "lossdisc",
            "discriminatorloss",
            "lossdiscriminator",
            "criticloss",
            "losscritic",
            "dlosstotal",
            "dtotalloss",
            "traindloss",
            "lossdloss",
            "losstotald",
            "dislosss",
            "lossdis",
            "disloss",
        ),
        "discriminator_loss",
    ),
    **dict.fromkeys(
        (
            "gloss",
            "lossg",
            "errg",
            "genloss",
            "lossgen",
            "generatorloss",
            "lossgenerator",
            "glosstotal",
            "gtotalloss",
            "traingloss",
            "lossgloss",
            "losstotalg",
        ),
        "generator_loss",
    ),
    **dict.fromkeys(
        ("fid", "fid50k", "fid50kfull", "frechetdistance", "fidscore", "frechetinceptiondistance"), "frechet_distance"
    ),
    **dict.fromkeys(("kid", "kid50k", "kid50kfull", "kernelinceptiondistance"), "kernel_distance"),
    **dict.fromkeys(("is", "inceptionscore", "is50kmean", "ismean"), "inception_score"),
    **dict.fromkeys(("precision", "pr50k3fullprecision"), "precision"),
    **dict.fromkeys(("recall", "pr50k3fullrecall"), "recall"),
    **dict.fromkeys(
        ("dgradnorm", "gradnormd", "discriminatorgradnorm", "gradnormdiscriminator"), "discriminator_gradient_norm"
    ),
    **dict.fromkeys(("ggradnorm", "gradnormg", "generatorgradnorm", "gradnormgenerator"), "generator_gradient_norm"),
    **dict.fromkeys(("dlr", "lrd"), "discriminator_learning_rate"),
    **dict.fromkeys(("glr", "lrg"), "generator_learning_rate"),
    **dict.fromkeys(("gp", "gradientpenalty", "r1", "r1penalty", "dpenalty"), "discriminator_penalty"),
    **dict.fromkeys(("dacc", "daccuracy", "discaccuracy", "discriminatoraccuracy"), "discriminator_accuracy"),
    **dict.fromkeys(
        ("reallogits", "reallogit", "realscore", "dlogitsreal", "logitsreal", "lossscoresreal"), "real_logit_mean"
    ),
    **dict.fromkeys(
        ("fakelogits", "fakelogit", "fakescore", "dlogitsfake", "logitsfake", "lossscoresfake"), "fake_logit_mean"
    ),
    **dict.fromkeys(("losssignsreal", "rt"), "real_sign_mean"),
    "progressaugment": "augmentation_probability",
    "adap": "augmentation_probability",
}


@dataclass(frozen=True)
class Log:
    """Somebody's log with the door of a Run: `log["discriminator_loss"]` is one quantity by step; what is not in it raises NotRecorded."""

    path: Path
    about: dict[str, Any]
    series: dict[str, pd.Series] = field(repr=False)
    ignored: tuple[str, ...] = ()  # the columns that have no meaning here

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every series that this log holds, in alphabetical order."""
        return tuple(sorted(self.series))

    @cached_property
    def steps(self) -> int:
        """How many steps the log spans: its last step plus one."""
        return max((int(s.index[-1]) for s in self.series.values() if len(s)), default=-1) + 1

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except NotRecorded:
            return False
        return True

    def __getitem__(self, name: str) -> pd.Series:
        """Returns one quantity, indexed by step; a score may be asked for without its features, as of a Run."""
        found = [n for n in self.names if n == name] or [n for n in self.names if n.startswith(f"{name}[")]
        if len(found) != 1 or not len(self.series[found[0]]):
            raise NotRecorded(name, "it is not in this log" if not found else "")
        return self.series[found[0]]

    def layers(self, name: str) -> pd.DataFrame:
        """A log of scalars holds no vectors: raises NotRecorded."""
        raise NotRecorded(name, "a log of scalars holds no vectors")

    def records(self, kind: str) -> list[dict[str, Any]]:
        """A log holds no records of ours."""
        return []

    def sample_steps(self, kind: str = "fake") -> list[int]:
        """A log holds no samples."""
        return []

    def samples(self, step: int, kind: str = "fake") -> dict[str, Any]:
        """A log holds no samples: raises NotRecorded."""
        raise NotRecorded(f"{kind} samples at step {step}", "a log of scalars holds no samples")


def open_recording(path: str | os.PathLike[str], names: Mapping[str, str] | None = None) -> Run | Log:
    """Opens a run directory or somebody's log, by what lies there; `names` maps their columns to ours. Raises RunError where it is neither."""
    where = Path(path)
    if (where / "run.json").is_file():
        return load_run(where)
    read = _reader(where)
    if read is None:
        return load_run(where)  # which says what is wrong
    return read(where, _checked(names or {}))


def _reader(where: Path) -> Callable[[Path, dict[str, str]], Log] | None:
    if where.is_dir():
        if (where / "stats.jsonl").is_file():
            return read_stylegan
        return read_tensorboard if _event_files(where) else None
    if where.name.startswith("events.out.tfevents"):
        return read_tensorboard
    return (
        {".csv": read_csv, ".tsv": read_csv, ".jsonl": read_json_lines, ".ndjson": read_json_lines}.get(
            where.suffix.lower()
        )
        if where.is_file()
        else None
    )


def _checked(names: Mapping[str, str]) -> dict[str, str]:
    for theirs, ours in names.items():
        if ours != "step" and quantity(ours) is None:
            raise UsageError(
                f"{theirs}={ours}: there is no quantity {ours!r}{did_you_mean(ours, list(QUANTITIES))}; see docs/metrics.md"
            )
    return dict(names)


# ------------------------------------------------------------------------------------------------------------ tables of rows


def read_csv(file: Path, names: dict[str, str]) -> Log:
    """Reads a CSV or TSV file with a header: a column of steps where there is one, else the rows are the steps."""
    import pandas as pd

    _refuse_giants(file)
    try:
        table = pd.read_csv(
            file,
            sep="\t" if file.suffix.lower() == ".tsv" else None,
            engine="python",
            encoding="utf-8-sig",
            on_bad_lines="skip",
            dtype=str,
            keep_default_na=False,  # an empty cell is absent, "nan" was measured
        )
    except (ValueError, OSError, csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise RunError(
            f"{file} cannot be read as CSV ({str(error).splitlines()[0]}); a header line and one row a step were expected"
        ) from None
    return _from_table(file, table, names)


def read_json_lines(file: Path, names: dict[str, str]) -> Log:
    """Reads one JSON object a line; nested objects become names with slashes, {"mean": x} becomes x."""
    import pandas as pd

    return _from_table(file, pd.DataFrame(list(_lines(file))), names)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    _refuse_giants(file)
    for line in file.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield dict(_flat(record))


def _flat(record: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, float | str]]:
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and depth < 8:
            if _is_number(value.get("mean")):
                yield name, float(value["mean"])
                if _is_number(value.get("std")):
                    yield f"{name}/std", float(value["std"])
            else:
                yield from _flat(value, f"{name}/", depth + 1)
        elif isinstance(value, str | bool) or _is_number(value):
            yield name, "nan" if value != value else value  # a NaN was measured; null and what is left out are absent


def _from_table(file: Path, table: pd.DataFrame, names: dict[str, str]) -> Log:
    import pandas as pd

    if len(table.columns) > MAX_COLUMNS:
        raise RunError(f"{file} has {len(table.columns)} columns: this is no log of a training")
    table = table.rename(columns=lambda c: str(c).strip())
    missing = [theirs for theirs in names if theirs not in table.columns]
    if missing:
        raise UsageError(
            f"{file} has no column {missing[0]!r}{did_you_mean(missing[0], [str(c) for c in table.columns])}; "
            f"it has {', '.join(str(c) for c in table.columns[:20])}"
        )
    meaning = {str(c): names.get(str(c)) or _guess(str(c)) for c in table.columns}
    at = next((c for c, m in meaning.items() if m == "step"), None)
    steps = pd.to_numeric(table[at], errors="coerce") if at else pd.Series(range(len(table)), index=table.index)
    series: dict[str, pd.Series] = {}
    for column, name in meaning.items():
        if name is None or name == "step" or name in series:
            continue
        values = pd.to_numeric(table[column], errors="coerce")
        text = table[column].astype(str).str.strip().str.lower()
        measured = (
            values.notna() | text.isin(("nan", "inf", "-inf", "+inf", "infinity", "-infinity")) & table[column].notna()
        )
        column_series = _by_step(name, steps[measured], values[measured])
        if len(column_series):
            series[name] = column_series
    if not series:
        raise RunError(
            f"{file} holds no column that is known here ({', '.join(str(c) for c in table.columns[:20])}); say which is which: "
            "--map d_loss=discriminator_loss --map g_loss=generator_loss"
        )
    ignored = tuple(c for c, m in meaning.items() if m is None)
    return Log(file, {"name": file.stem, "source": "log", "could_not_tell": []}, series, ignored)


def _by_step(name: str, steps: pd.Series, values: pd.Series) -> pd.Series:
    import pandas as pd

    good = steps.notna() & (steps >= 0) & (steps < 2**53)
    column = pd.Series(
        values[good].to_numpy(dtype=float),
        index=pd.Index(steps[good].to_numpy().astype("int64"), name="step"),
        name=name,
    )
    return column[~column.index.duplicated(keep="last")].sort_index()


def _guess(column: str) -> str | None:
    """What a column means by its name alone, None where it could be anything. `RUN - name` is how W&B exports it."""
    column = column.rsplit(" - ", 1)[-1]
    if column.endswith(("__MIN", "__MAX")):
        return None
    if quantity(column) is not None:
        return column
    for word in (re.sub(r"[^a-z0-9]", "", part.lower()) for part in (column, column.rsplit("/", 1)[-1])):
        if word in STEP_NAMES:
            return "step"
        if word in KNOWN_NAMES:
            return KNOWN_NAMES[word]
    return None


def _refuse_giants(file: Path) -> None:
    try:
        size = file.stat().st_size
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from None
    if size > MAX_BYTES:
        raise RunError(f"{file} is larger than {MAX_BYTES // 2**20} MiB: thin it out first")


# ------------------------------------------------------------------------------------------------------------------ stylegan

_STYLEGAN = {
    "Loss/scores/real": "real_logit_mean",
    "Loss/scores/fake": "fake_logit_mean",
    "Loss/scores/real/std": "real_logit_sd",
    "Loss/scores/fake/std": "fake_logit_sd",
    "Loss/signs/real": "real_sign_mean",
    "Loss/G/loss": "generator_loss",
    "Loss/D/loss": "discriminator_loss",
    "Loss/D/reg": "discriminator_penalty",
    "Loss/G/reg": "generator_penalty",
    "Progress/augment": "augmentation_probability",
    "Timing/total_sec": "wall_time",
}
_STYLEGAN_SCORES = {
    "fid50k_full": "frechet_distance[inception-tf]",
    "fid50k": "frechet_distance[inception-tf]",
    "kid50k_full": "kernel_distance[inception-tf]",
    "kid50k": "kernel_distance[inception-tf]",
    "pr50k3_full_precision": "precision[vgg16]",
    "pr50k3_full_recall": "recall[vgg16]",
    "is50k_mean": "inception_score",
}


def read_stylegan(folder: Path, names: dict[str, str]) -> Log:
    """Reads the folder of a StyleGAN2-ADA or StyleGAN3 training: stats.jsonl, metric-*.jsonl and training_options.json. Steps are batches."""
    import pandas as pd

    options = _options(folder)
    batch = options.get("batch_size")
    batch = batch if isinstance(batch, int) and 0 < batch < MAX_BATCH else 1
    rows = [
        (round(r["Progress/kimg"] * 1000 / batch), r)
        for r in _lines(folder / "stats.jsonl")
        if _is_number(r.get("Progress/kimg")) and 0 <= r["Progress/kimg"] < MAX_KIMG
    ]
    columns: dict[str, dict[int, float]] = {}
    for step, row in rows:
        for theirs, ours in {**_STYLEGAN, **names}.items():
            if _is_number(row.get(theirs)):
                columns.setdefault(ours, {})[step] = float(row[theirs])
        signs = [row.get(f"Loss/signs/{what}") for what in ("real", "fake")]
        if all(_is_number(s) for s in signs):
            columns.setdefault("discriminator_accuracy", {})[step] = (
                2 + float(signs[0] or 0) - float(signs[1] or 0)
            ) / 4
    for file in sorted(folder.glob("metric-*.jsonl")):
        for row in _lines(file):
            match = re.search(r"(\d{6,12})", str(row.get("snapshot_pkl", "")))
            for theirs, ours in _STYLEGAN_SCORES.items():
                if match and _is_number(row.get(f"results/{theirs}")):
                    columns.setdefault(ours, {})[round(int(match[1]) * 1000 / batch)] = float(row[f"results/{theirs}"])
    series = {n: pd.Series(v, dtype=float, name=n).rename_axis("step").sort_index() for n, v in columns.items() if v}
    if not series:
        raise RunError(f"{folder / 'stats.jsonl'} holds no statistics of a StyleGAN training (Progress/kimg, Loss/...)")
    return Log(folder, _stylegan_about(folder, options), series)


def _options(folder: Path) -> dict[str, Any]:
    file = folder / "training_options.json"
    try:
        options = json.loads(file.read_text(encoding="utf-8")) if file.is_file() and file.stat().st_size < 2**24 else {}
    except (OSError, ValueError, RecursionError):
        options = {}
    return options if isinstance(options, dict) else {}


def _stylegan_about(folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    def part(name: str) -> dict[str, Any]:
        return options[name] if isinstance(options.get(name), dict) else {}

    data, g, d = part("training_set_kwargs"), part("G_opt_kwargs"), part("D_opt_kwargs")
    about: dict[str, Any] = {
        "name": folder.name,
        "source": "stylegan",
        "loss": "non-saturating",
        "seed": options.get("random_seed"),
        "could_not_tell": [],
    }
    about["optimizers"] = {
        who: {
            "class": str(o.get("class_name", "")).rsplit(".", 1)[-1],
            "learning_rate": o.get("lr"),
            "betas": o.get("betas"),
        }
        for who, o in (("generator", g), ("discriminator", d))
        if o
    }
    about["data"] = {
        "name": Path(str(data.get("path", ""))).name or None,
        "kind": "images",
        "count": data.get("max_size"),
    }
    about["options"] = {
        "gamma": part("loss_kwargs").get("r1_gamma"),
        "ada_target": options.get("ada_target"),
        "batch": options.get("batch_size"),
    }
    return about


def _is_number(value: Any) -> bool:
    """Whether it is a number that a float can hold; JSON knows whole numbers of any length."""
    return isinstance(value, float) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    )


# --------------------------------------------------------------------------------------------------------------- TensorBoard


def read_tensorboard(where: Path, names: dict[str, str]) -> Log:
    """Reads the scalars of TensorBoard event files: a file, or a folder with all that lies in it and one level below."""
    import pandas as pd

    files = _event_files(where) if where.is_dir() else [where]
    columns: dict[str, dict[int, float]] = {}
    tags: dict[str, None] = {}
    for file in files:
        _refuse_giants(file)
        for step, tag, value in _scalars(file.read_bytes()):
            tags[tag] = None
            ours = names.get(tag) or _guess(tag)
            if ours and ours != "step":
                columns.setdefault(ours, {})[step] = value
    missing = [theirs for theirs in names if theirs not in tags]
    if missing:
        raise UsageError(
            f"{where} has no scalar {missing[0]!r}{did_you_mean(missing[0], list(tags))}; it has {', '.join(list(tags)[:20]) or 'none'}"
        )
    series = {n: pd.Series(v, dtype=float, name=n).rename_axis("step").sort_index() for n, v in columns.items()}
    if not series:
        raise RunError(
            f"{where} holds no scalar that is known here ({', '.join(list(tags)[:20]) or 'no scalar at all'}); say which is which with --map"
        )
    ignored = tuple(t for t in tags if not (names.get(t) or _guess(t)))
    return Log(where, {"name": where.name, "source": "tensorboard", "could_not_tell": []}, series, ignored)


def _event_files(folder: Path) -> list[Path]:
    found = [
        f
        for pattern in ("events.out.tfevents*", "*/events.out.tfevents*")
        for f in folder.glob(pattern)
        if f.is_file() and not f.is_symlink()
    ]
    return sorted(found)[:1000]


def _scalars(data: bytes) -> Iterator[tuple[int, str, float]]:
    """Yields (step, tag, value) of an event file; what is torn or is no scalar is passed over.

    A record is a length (8 bytes), its checksum (4), an Event message, its checksum (4). Event: 2 = step, 5 = Summary; Summary: 1 =
    Value; Value: 1 = tag, 2 = simple_value, 8 = tensor; TensorProto: 1 = dtype (1 float, 2 double), 4 = content, 5 = floats, 6 = doubles.
    """
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        start, end = at + 12, at + 12 + length
        if end + 4 > len(data):
            return
        try:
            event = list(_fields(data[start:end]))
            step = next((v for n, v in event if n == 2 and isinstance(v, int)), 0)
            values = [
                list(_fields(v))
                for n, s in event
                if n == 5 and isinstance(s, bytes)
                for m, v in _fields(s)
                if m == 1 and isinstance(v, bytes)
            ]
        except ValueError:
            values = []
        for value in values:
            tag, number = next((v for n, v in value if n == 1 and isinstance(v, bytes)), b""), _number(value)
            if number is not None and 0 <= step < 2**53:
                yield step, tag.decode("utf-8", "replace"), number
        at = end + 4


def _number(value: list[tuple[int, int | bytes]]) -> float | None:
    for n, v in value:
        if n == 2 and isinstance(v, bytes) and len(v) == 4:
            return float(struct.unpack("<f", v)[0])
        if n == 8 and isinstance(v, bytes):
            try:
                tensor = dict(_fields(v))
            except ValueError:
                return None
            for key, form, size in (
                (5, "<f", 4),
                (6, "<d", 8),
                (4, "<f" if tensor.get(1) == 1 else "<d", 4 if tensor.get(1) == 1 else 8),
            ):
                content = tensor.get(key)
                if isinstance(content, bytes) and len(content) == size:
                    return float(struct.unpack(form, content)[0])
    return None


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yields the fields of one protobuf message: varints as int, everything else as bytes; ValueError where it is torn."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("no protobuf message")
        if at + size > len(data):
            raise ValueError("a torn protobuf message")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
    raise ValueError("a torn number")
