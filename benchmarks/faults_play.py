"""What `benchmarks/faults.py` plays with: a small training in a process of its own, ways to hurt it, a reader that looks on, a comparison."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.tiny_ring import TINY_RING
from gandiag.errors import GandiagError, NotRecorded
from gandiag.reporting import write_report
from gandiag.run import Run, load_run
from gandiag.training import Config, train
from gandiag.training.checkpoint import checkpoint_steps, load_checkpoint

STEPS = 120
CONFIG = dataclasses.replace(
    TINY_RING,
    steps=STEPS,
    evaluate_every=15,
    sample_every=15,
    checkpoint_every=10,
    evaluation_samples=100,
    diagnose_every=30,
    device="cpu",
)
CLOCKS = {"wall_time", "step_seconds", "data_wait_seconds", "images_per_second", "probe_seconds"}
LOOK_SECONDS = 0.1  # between two looks of the reader
PATIENCE = 1800.0  # seconds that a child may take before it counts as hanging: a machine under load takes its time


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (negative: the signal), what it left behind, and what the reader saw meanwhile."""

    code: int
    text: str
    orphans: int
    complaints: tuple[str, ...]
    looks: int


def train_and_report(path: Path, config: Config = CONFIG, *, watch: Callable[[Any], object] | None = None) -> None:
    """Trains, or goes on where there is a checkpoint, and writes the report."""
    train(config, out=path, resume=bool(checkpoint_steps(path)), watch=watch)
    write_report(path)


def in_child(body: Callable[[], None], path: Path, *, log: Path | None = None) -> Ended:
    """Runs a function in a forked process of its own session, while a reader opens the run at `path` again and again."""
    sys.stdout.flush()
    log = log or path.with_suffix(".log")
    child = os.fork()
    if not child:
        _be_the_child(body, log)
    code: int | None = None
    complaints: list[str] = []
    looks, until = 0, time.monotonic() + PATIENCE
    while code is None:
        looks += 1
        complaints += complaints_about(path)
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
        elif time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            complaints.append(f"it hung for {PATIENCE:g} s")
        time.sleep(LOOK_SECONDS)
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return Ended(code, text, orphans(child), tuple(dict.fromkeys(complaints)), looks)


def _be_the_child(body: Callable[[], None], log: Path) -> None:
    """Becomes the process that is going to be hurt; never returns."""
    code = 70
    try:
        os.setsid()
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        torch.set_num_threads(1)
        body()
        code = 0
    except KeyboardInterrupt:
        code = 130
    except GandiagError as error:
        print(f"Error: {error}", file=sys.stderr)
        code = error.exit_code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def orphans(session: int, patience: float = 10.0) -> int:
    """Counts the processes of a session that are still alive after a while, and ends them."""
    until = time.monotonic() + patience
    while (left := members(session)) and time.monotonic() < until:
        time.sleep(0.05)
    for process in left:
        os.kill(process, signal.SIGKILL)
    return len(left)


def members(session: int) -> list[int]:
    """Returns the processes of a session that are no zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, its_session = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            except OSError:
                continue
            if int(its_session) == session and state not in "ZX":
                found.append(int(entry.name))
    return found


# ------------------------------------------------------------------------------------------------------------------ hurting


def die_inside(owner: Any, name: str, *, call: int, seconds: float) -> None:
    """Has the kernel end this process `seconds` into the given call of a function, or at its end where it is over sooner.

    The default action of SIGALRM is that of SIGKILL: no code of ours runs, at whatever instruction the process is.
    """
    true, calls = getattr(owner, name), 0

    def wrapped(*positional: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != call:
            return true(*positional, **named)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
        try:
            return true(*positional, **named)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, wrapped)


def die_after(owner: Any, name: str, *, call: int, seconds: float) -> None:
    """Has the kernel end this process `seconds` after the given call of a function began, wherever it is then."""
    true, calls = getattr(owner, name), 0

    def wrapped(*positional: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
        return true(*positional, **named)

    setattr(owner, name, wrapped)


@contextmanager
def timed(owner: Any, name: str, into: list[float]) -> Iterator[None]:
    """Notes how long each call of a function takes."""
    true = getattr(owner, name)

    def wrapped(*positional: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return true(*positional, **named)
        finally:
            into.append(time.perf_counter() - began)

    setattr(owner, name, wrapped)
    try:
        yield
    finally:
        setattr(owner, name, true)


# ------------------------------------------------------------------------------------------------------------------- reading


def complaints_about(path: Path) -> list[str]:
    """Opens a run as any reader would and says what is not consistent in it; nothing where there is no run.json yet."""
    if not (path / "run.json").exists():
        return []
    try:
        run = load_run(path)
        return [*_gaps(run), *_broken_pages(path)]
    except NotRecorded:
        return []
    except GandiagError as error:
        return [f"the reader met {type(error).__name__}: {error}"]
    except Exception as error:
        return [f"the reader met {type(error).__name__}: {error}"]


def _gaps(run: Run) -> list[str]:
    said = []
    for name in ("discriminator_loss", "generator_loss", "real_logit_mean"):
        if name in run:
            steps = run[name].index.to_numpy()
            if not np.array_equal(steps, np.arange(len(steps))):
                said.append(f"{name} has rows twice or missing")
    scores = [(r["step"], name) for r in run.records("evaluations") for name in r["scores"]]
    if len(scores) != len(set(scores)) or [s for s, _ in scores] != sorted(s for s, _ in scores):
        said.append("a score stands there twice")
    for step in run.sample_steps():
        with suppress(NotRecorded):  # superseded just now by a run that is resumed
            run.samples(step)
    return said


def _broken_pages(path: Path) -> list[str]:
    page = path / "report.html"
    if page.exists() and not page.read_bytes().rstrip().endswith(b"</html>"):
        return ["half a report was seen"]
    return []


def differences(one: Path, two: Path, step: int = STEPS) -> list[str]:
    """Compares two finished runs bit for bit: weights, optimizers, random generators, sampler, recording (its clocks aside), samples, scores."""
    try:
        first, second = load_checkpoint(one, step), load_checkpoint(two, step)
    except GandiagError as error:
        return [str(error)]
    said = [*differing(first.weights, second.weights, "weights"), *differing(first.state, second.state, "state")]
    runs = load_run(one), load_run(two)
    said += [f"only one run holds {name}" for name in sorted(set(runs[0].names) ^ set(runs[1].names))]
    for name in sorted(set(runs[0].names) & set(runs[1].names) - CLOCKS):
        tables = [_table(run, name) for run in runs]
        if not tables[0].equals(tables[1]):
            said.append(f"{name} differs")
    said += [] if runs[0].records("evaluations") == runs[1].records("evaluations") else ["the evaluations differ"]
    said += [] if runs[0].sample_steps() == runs[1].sample_steps() else ["other samples were kept"]
    return said


def differing(one: Any, two: Any, where: str) -> list[str]:
    """Names the places in which two nested states differ."""
    if type(one) is not type(two):
        return [where]
    if isinstance(one, dict):
        if list(one) != list(two):
            return [where]
        return [found for key in one for found in differing(one[key], two[key], f"{where}.{key}")]
    if isinstance(one, (list, tuple)):
        if len(one) != len(two):
            return [where]
        return [found for i, pair in enumerate(zip(one, two)) for found in differing(*pair, f"{where}[{i}]")]
    same = torch.equal(one, two) if isinstance(one, torch.Tensor) else one == two
    return [] if same else [where]


def _table(run: Run, name: str) -> Any:
    try:
        return run[name]
    except NotRecorded:
        return run.layers(name)


def status_of(path: Path) -> str:
    """Returns how the run says that it ended."""
    if not (path / "run.json").exists():
        return "no run"
    return str(json.loads((path / "run.json").read_text(encoding="utf-8")).get("status"))
