"""Fuzz: every reader of strangers' files against mutated real files. Only our own errors may come out, and nothing else may happen.

    python -m benchmarks.fuzz                          10 000 cases and more
    python -m benchmarks.fuzz --cases 300 --seed 7
    python -m benchmarks.fuzz --only "CIFAR pickles" --keep found

Each reader runs in a process of its own with an audit hook: code that is executed, a process that is started, a connection, a file opened
outside the case's folder (libraries aside) are counted. A case that takes over 20 s of CPU ends its process and counts as a hang; memory that a
case makes the process keep or reserve is held under 1 GiB by the address-space limit and by looking at the peak. A crash of the process counts.
Linux only.
"""

from __future__ import annotations

import argparse
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz_readers import READERS, Reader, source_of, targets_of

SECONDS = 20  # of CPU that a case may take
MEMORY = 2**30  # bytes that a case may add to the process
WORDS = (
    b"../../../../etc/passwd", b"/etc/passwd", b"<script>alert(1)</script>", b"\x1b[31m\x07\r\n", b"\xff\xfe\x80", b"A" * 5000, b"NaN", b"Infinity",
    b"-1", b"0", b"1e400", b"9" * 400, b"null", b"[]", b"{}", b"true", b'""', b"[" * 3000, b'{"a":' * 3000, "\u202egnp.exe".encode(), b"\x00" * 64,
    b"step", b"mean", b"cos\nsystem\n(S'touch PWNED'\ntR.", b"c__builtin__\nexec\n",
)  # fmt: skip
NUMBERS = (0, 1, 127, 128, 255)


@dataclass
class Tally:
    """What became of a reader's cases."""

    cases: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    most_memory: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


def mutated(content: bytes, other: bytes, chance: np.random.Generator) -> bytes:
    """Returns the content with some of its bytes changed, cut, doubled, moved or replaced by what a hostile writer would put there."""
    data = bytearray(content)
    for _ in range(int(chance.integers(1, 5))):
        how = chance.random()
        at = int(chance.integers(len(data) + 1))
        if how < 0.45:
            for place in chance.integers(0, max(len(data), 1), int(chance.integers(1, 8))):
                if data:
                    data[place] = int(chance.integers(256)) if chance.random() < 0.6 else NUMBERS[chance.integers(5)]
        elif how < 0.55:
            del data[at:]
        elif how < 0.65:
            del data[at : at + int(chance.integers(1, 200))]
        elif how < 0.75:
            data[at:at] = bytes(chance.integers(0, 256, int(chance.integers(1, 60)), dtype=np.uint8))
        elif how < 0.85:
            word = WORDS[chance.integers(len(WORDS))]
            data[at : at + (len(word) if chance.random() < 0.3 else 0)] = word
        elif how < 0.92:
            piece = data[at : at + int(chance.integers(1, 400))]
            data[at:at] = piece * int(chance.integers(1, 4))
        elif how < 0.97 and len(data) >= 8:
            place = int(chance.integers(len(data) - 7))
            number = (2**31 - 1, 2**32 - 1, 2**62, 2**63, 2**64 - 1, 10**9)[chance.integers(6)]
            data[place : place + 8] = (number % 2**64).to_bytes(8, "little" if chance.random() < 0.5 else "big")
        else:
            data[at:] = other[int(chance.integers(len(other) + 1)) :]
    return bytes(data)


def replaced_value(content: bytes, chance: np.random.Generator) -> bytes:
    """Returns JSON, TOML, CSV or JSON lines with one of its values replaced by another kind of value."""
    import re

    found = list(re.finditer(rb'"[^"\n]*"|-?\d+(?:\.\d+)?(?:e-?\d+)?|true|false|null', content))
    if not found:
        return content
    spot = found[chance.integers(len(found))]
    word = WORDS[chance.integers(len(WORDS))]
    if chance.random() < 0.4:
        word = b'"' + word.replace(b'"', b"").replace(b"\n", b"") + b'"'
    return content[: spot.start()] + word + content[spot.end() :]


# ------------------------------------------------------------------------------------------------- the process that reads


class Watch:
    """The audit hook of the reading process: counts what no reader of data may do."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.armed = False
        self.seen: Counter[str] = Counter()
        self._fine = tuple(
            {sys.prefix, sys.base_prefix, *(p for p in sys.path if p), "/proc", "/sys", "/dev/null", "/dev/shm"}
        )

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event in (
            "os.system",
            "subprocess.Popen",
            "os.exec",
            "os.posix_spawn",
            "os.fork",
            "socket.connect",
            "pickle.find_class",
        ):
            self.seen[f"{event} {arguments!r}"[:120]] += 1
        elif event == "open" and isinstance(arguments[0], str | bytes):
            self._look_at(os.path.realpath(os.fsdecode(arguments[0])), arguments)

    def _look_at(self, path: str, arguments: tuple[Any, ...]) -> None:
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) or "w" in str(arguments[1] or "")
        inside = path.startswith(self.folder)
        if not inside and (writes or not path.startswith(self._fine)):
            self.seen[f"opened {path} {'to write' if writes else ''}"[:120]] += 1


def read_cases(reader: Reader, files: dict[str, bytes], cases: range, seed: int, pipe: int, folder: Path) -> None:
    """Reads mutated files, one case after the other; tells the parent of each case's beginning and end. Runs in a child."""
    from gandiag.errors import GandiagError

    warnings.simplefilter("ignore")
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.chdir(folder)
    place = folder / "case"
    lay_out(files, place)
    reader.open(place)  # once whole: a real file is read, and what the reader imports is there
    watch = Watch(folder)
    sys.addaudithook(watch)
    reserved = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (reserved + 2 * MEMORY, reserved + 2 * MEMORY))
    names = targets_of(reader, files)
    for case in cases:
        tell(pipe, ("begins", case))
        lay_out(mutation(reader, files, names, case, seed), place)
        watch.seen.clear()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        before, began = peak(), time.process_time()
        watch.armed = True
        try:
            reader.open(place)
            outcome = "read"
        except GandiagError as error:
            str(error)
            outcome = "refused"
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"[:160]
        watch.armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        tell(pipe, ("ends", case, outcome, time.process_time() - began, peak() - before, dict(watch.seen)))


def mutation(reader: Reader, files: dict[str, bytes], names: list[str], case: int, seed: int) -> dict[str, bytes]:
    """Returns the files of one case: the same ones for the same numbers."""
    chance = np.random.default_rng([seed, READERS.index(reader), case])
    changed = dict(files)
    for _ in range(1 + int(chance.random() < 0.2)):
        name = names[chance.integers(len(names))]
        other = files[names[chance.integers(len(names))]]
        text = name.endswith((".json", ".jsonl", ".toml", ".csv"))
        changed[name] = (
            replaced_value(changed[name], chance)
            if text and chance.random() < 0.6
            else mutated(changed[name], other, chance)
        )
    return changed


def lay_out(files: dict[str, bytes], place: Path) -> None:
    """Writes the files of a case, and nothing else, into its folder."""
    shutil.rmtree(place, ignore_errors=True)
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def peak() -> int:
    """Returns the most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def tell(pipe: int, what: object) -> None:
    """Sends a message to the parent."""
    data = pickle.dumps(what)
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[os.write(pipe, data) :]


# ------------------------------------------------------------------------------------------------------------- the parent


def fuzz(reader: Reader, cases: int, seed: int, keep: Path | None) -> Tally:
    """Has a reader read so many cases; begins a new process where one dies."""
    tally, folder = Tally(), Path(tempfile.mkdtemp(prefix="fuzz-")).resolve()
    try:
        files = source_of(reader, folder / "source")
        names = targets_of(reader, files)
        case = 0
        while case < cases:
            case = _one_process(reader, files, range(case, cases), seed, folder, tally)
        for line in list(tally.wrong):
            if keep is not None and line.startswith("case "):
                number = int(line.split()[1].rstrip(":"))
                lay_out(
                    mutation(reader, files, names, number, seed), keep / f"{reader.name.replace(' ', '-')}-{number}"
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally


def _one_process(reader: Reader, files: dict[str, bytes], cases: range, seed: int, folder: Path, tally: Tally) -> int:
    """Reads cases in one child until it is through or dies; returns the next case."""
    source, pipe = os.pipe()
    child = os.fork()
    if not child:
        os.close(source)
        try:
            read_cases(reader, files, cases, seed, pipe, folder)
            os._exit(0)
        except BaseException as error:
            tell(pipe, ("broke", f"{type(error).__name__}: {error}"))
            os._exit(1)
    os.close(pipe)
    current = cases.start
    with os.fdopen(source, "rb") as stream:
        while head := stream.read(4):
            message = pickle.loads(stream.read(int.from_bytes(head, "little")))  # noqa: S301 - from our own child
            if message[0] == "broke":
                raise RuntimeError(f"{reader.name}: {message[1]}")
            current = message[1]
            if message[0] == "ends":
                _count(tally, *message[1:])
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        tally.cases += 1
        what = "hang" if status == -signal.SIGPROF else f"crash ({status})"
        tally.wrong[f"case {current}: {what}"] += 1
    return current + 1


def _count(tally: Tally, case: int, outcome: str, seconds: float, memory: int, seen: dict[str, int]) -> None:
    tally.cases += 1
    tally.slowest, tally.most_memory = max(tally.slowest, seconds), max(tally.most_memory, memory)
    if outcome in ("read", "refused"):
        setattr(tally, outcome, getattr(tally, outcome) + 1)
    else:
        tally.wrong[f"case {case}: {outcome}"] += 1
    for what in seen:
        tally.wrong[f"case {case}: {what}"] += 1
    if memory > MEMORY:
        tally.wrong[f"case {case}: {memory / 2**20:.0f} MiB"] += 1


def main() -> None:
    """Fuzzes every reader, prints the table, and ends with 1 where anything but our own errors came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_500, help="of all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one reader's name")
    parser.add_argument("--quick", action="store_true", help="without the bundles, whose export takes seconds")
    parser.add_argument("--keep", type=Path, help="where the cases that went wrong are kept")
    asked = parser.parse_args()
    chosen = [r for r in READERS if asked.only in (None, r.name) and not (asked.quick and r.name.startswith("bundle"))]
    if not chosen:
        raise SystemExit(f"no such reader: {asked.only!r}; there are {', '.join(r.name for r in READERS)}")
    part = asked.cases / sum(r.share for r in chosen)
    print("| reader | cases | read | refused with our error | slowest, CPU s | most memory, MiB | anything else |")
    print("|---|---|---|---|---|---|---|")
    tallies = []
    for reader in chosen:
        tally = fuzz(reader, max(round(part * reader.share), 1), asked.seed, asked.keep)
        tallies.append(tally)
        print(
            f"| {reader.name} | {tally.cases} | {tally.read} | {tally.refused} | {tally.slowest:.2f} "
            f"| {tally.most_memory / 2**20:.0f} | {sum(tally.wrong.values()) or 'nothing'} |",
            flush=True,
        )
        for what in list(tally.wrong)[:12]:
            print(f"  {reader.name}: {what}", file=sys.stderr, flush=True)
    wrong = sum(sum(t.wrong.values()) for t in tallies)
    print(f"\n{sum(t.cases for t in tallies)} cases, {wrong} things that must not be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
