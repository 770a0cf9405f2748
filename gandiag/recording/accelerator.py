"""The optional accelerator: `accelerated.c`, compiled once by the machine's own C compiler and loaded; None where that cannot be.

It is only ever a faster way to the same numbers: without it, or switched off by GANDIAG_ACCELERATOR=off, torch computes them.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from gandiag.metrics.cache import cache_folder

SWITCH = "GANDIAG_ACCELERATOR"  # off: torch computes everything
SOURCE = Path(__file__).with_name("accelerated.c")
# no fused multiply-adds and no instructions of one processor's own: the numbers are those of any machine
FLAGS = ("-O3", "-std=c11", "-shared", "-fPIC", "-ffp-contract=off", "-fno-math-errno")
COMPILERS = ("cc", "gcc", "clang")
COMPILE_SECONDS = 60.0
_TYPES = {"p": ctypes.c_void_p, "n": ctypes.c_int64, "d": ctypes.c_double, "f": ctypes.c_float, "-": None}
# what each function takes, and after the arrow returns: p a pointer, n a whole number, d a double, f a float, - nothing
SIGNATURES = {
    "copy_row": "ppnn>n",
    "reader_in": "p>n",
    "places_of": "ppp>n",
    "copy_tensors": "ppn>n",
    "norms_of": "ppnp>-",
    "gather": "ppnp>-",
    "cosine_with": "ppnp>f",
    "changes_of": "ppnpp>-",
    "moments": "pnpnnnppnp>-",
    "sign_means": "pnnnp>-",
    "sigmoid_means": "pnnnp>-",
    "log_sigmoid_means": "pnnndp>-",
    "separation": "pnnpnnnp>-",
    "histogram": "pnnnpnp>-",
    "calibration": "pnnpnnnpnp>-",
    "totals": "pnnnp>-",
    "range": "pnp>-",
    "channel_means": "pnnnp>-",
    "spread": "pnnp>n",
    "nearness": "ppnnp>n",
    "equal_share": "ppn>f",
    "equal_pairs": "ppnnp>n",
    "batch_facts": "pnpnnpnnnpnnp>n",
}


class NotThere(Exception):
    """Why there is no accelerator, in words."""


@dataclass(frozen=True)
class Accelerator:
    """The compiled functions, twice: `free` lets other threads run Python meanwhile, `held` is for work that is too short for that."""

    free: ctypes.CDLL
    held: ctypes.CDLL
    file: Path


@dataclass(frozen=True)
class Found:
    """The accelerator, or None and why."""

    accelerator: Accelerator | None
    words: str


def find_accelerator() -> Found:
    """Returns the accelerator, compiled if need be (about a second, once a machine); any trouble leaves the work to torch."""
    if os.environ.get(SWITCH, "").strip().lower() in ("off", "0", "no", "false"):
        return Found(None, f"torch (the accelerator is switched off by {SWITCH})")
    return _found(str(cache_folder()), os.environ.get("PATH", ""))


def chosen(device: str, before: str | None) -> Found:
    """Returns the way for a recording on a device: that of the run which it continues, whose `accelerator` is given, where it can."""
    if device != "cpu":
        return Found(None, f"torch (on {device})")
    if before is not None and not before.startswith("compiled"):
        return Found(None, before)
    return find_accelerator()


@lru_cache(maxsize=4)
def _found(cache: str, path: str) -> Found:
    try:
        accelerator = load(compiled(Path(cache) / "accelerator"))
    except (NotThere, OSError, subprocess.SubprocessError, AttributeError, RuntimeError) as error:
        return Found(None, f"torch (no accelerator: {error})")
    return Found(accelerator, f"compiled ({accelerator.file.name})")


def compiled(folder: Path) -> Path:
    """Returns the library for this source, compiler and machine: from the folder, or compiled into it.

    Its name holds the hash of what it was made of and the hash of its own bytes: one that was damaged is made anew.
    """
    if not hasattr(os, "getuid"):
        raise NotThere("this system has no C compiler of a kind that is known here")
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise NotThere(f"none of {', '.join(COMPILERS)} was found")
    source = SOURCE.read_bytes()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _check_private(folder)
    made_of = hashlib.sha256(source)
    made_of.update(repr((FLAGS, platform.system(), platform.machine(), *_identity(compiler))).encode())
    name = made_of.hexdigest()[:16]
    for file in sorted(folder.glob(f"{name}-*.so")):
        _check_private(file)
        if file.stem == f"{name}-{_digest(file)}":
            return file
        file.unlink()
    return _compile(compiler, folder, name)


def load(file: Path) -> Accelerator:
    """Loads a library and asks it one thing whose answer is known; NotThere where it answers otherwise."""
    free, held = ctypes.CDLL(str(file)), ctypes.PyDLL(str(file))
    for name, signature in SIGNATURES.items():
        for library in (free, held):
            function = getattr(library, name)
            function.argtypes = [_TYPES[c] for c in signature.partition(">")[0]]
            function.restype = _TYPES[signature.partition(">")[2]]
    values, answer = (ctypes.c_float * 3)(3.0, -4.0, 0.0), (ctypes.c_float * 3)()
    free.totals(ctypes.addressof(values), 3, 1, 3, ctypes.addressof(answer))
    if list(answer) != [-1.0, 7.0, 5.0]:
        raise NotThere(f"{file.name} does not add up: {list(answer)}")
    return Accelerator(free, held, file)


def _compile(compiler: str, folder: Path, name: str) -> Path:
    handle, scratch = tempfile.mkstemp(prefix=f"{name}.", suffix=".part", dir=folder)
    os.close(handle)
    try:
        done = subprocess.run(
            [compiler, *FLAGS, "-x", "c", str(SOURCE), "-o", scratch, "-lm"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMPILE_SECONDS,
            check=False,
        )
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise NotThere(f"{Path(compiler).name} failed: {last[0][:200]}")
        os.chmod(scratch, 0o700)
        file = folder / f"{name}-{_digest(Path(scratch))}.so"
        os.replace(scratch, file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(scratch)
    return file


def _identity(compiler: str) -> tuple[Any, ...]:
    """What tells one compiler from the next version of it, without running it."""
    file = os.path.realpath(compiler)
    facts = os.stat(file)
    return file, facts.st_size, facts.st_mtime_ns


def _check_private(place: Path) -> None:
    """Raises NotThere where others could have put something else in this place: what lies there is run."""
    facts = place.lstat()
    if stat.S_ISLNK(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise NotThere(f"{place} is not this user's alone")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
