"""The faults of `benchmarks/faults.py` that need a loop of somebody's own, other processes, or the command line."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.faults_play import CONFIG, LOOK_SECONDS, PATIENCE, Ended, complaints_about, in_child, orphans, status_of
from benchmarks.plain_gan import one_step
from gandiag.recording import Recorder
from gandiag.run import RunWriter, load_run
from gandiag.training.config import as_toml

LOOP_STEPS = 6000


@dataclass(frozen=True)
class Found:
    """What became of a loop that was hurt."""

    loaded: bool
    unchanged: bool
    orphans: int
    looks: int
    wrong: tuple[str, ...]
    note: str


# ---------------------------------------------------------------------------------------------------- a loop of one's own


def players() -> tuple[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer]:
    """Returns two small networks and their optimizers, always the same."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    discriminator = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    return (
        generator,
        discriminator,
        torch.optim.SGD(generator.parameters(), 1e-3),
        torch.optim.SGD(discriminator.parameters(), 1e-3),
    )


def loop(path: Path, steps: int, *, batches: Any = None) -> tuple[nn.Module, list[float]]:
    """Trains with a recorder, and returns the generator and how long each step took on the training's thread."""
    generator, discriminator, g_opt, d_opt = players()
    seconds: list[float] = []
    with Recorder(
        path,
        generator=generator,
        discriminator=discriminator,
        generator_optimizer=g_opt,
        discriminator_optimizer=d_opt,
    ) as recorder:
        for real in batches if batches is not None else (torch.randn(16, 2) for _ in range(steps)):
            began = time.perf_counter()
            d_loss, g_loss = one_step(generator, discriminator, g_opt, d_opt, real, torch.randn(len(real), 2))
            recorder.step(d_loss=d_loss, g_loss=g_loss)
            seconds.append(time.perf_counter() - began)
    return generator, seconds


def _hurt_loop(path: Path, delay: float, steps: int) -> tuple[Ended, dict[str, str]]:
    """Plays the loop with a disk that takes `delay` seconds a write (from the third write on); returns what it told."""
    told = path.with_suffix(".told")

    def body() -> None:
        warnings.simplefilter("always")
        true, writes = RunWriter.append, 0

        def slow(*positional: Any, **named: Any) -> None:
            nonlocal writes
            writes += 1
            if writes > 2 and delay:
                time.sleep(delay)
            true(*positional, **named)

        RunWriter.append = slow  # type: ignore[method-assign]  # that is the fault
        before = _memory()
        began = time.perf_counter()
        generator, seconds = loop(path, steps)
        whole = time.perf_counter() - began
        facts = {
            "median": statistics.median(seconds),
            "most": max(seconds[100:]),
            "sum": sum(seconds),
            "close": whole - sum(seconds),
            "memory": _memory() - before,
            "weights": sum(float(p.detach().double().sum()) for p in generator.parameters()),
        }
        told.write_text("\n".join(f"{name} {value}" for name, value in facts.items()))

    ended = in_child(body, path)
    pairs = (line.split() for line in told.read_text().splitlines()) if told.exists() else ()
    return ended, dict(pairs)


def _memory() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _disk(path: Path, delay: float, steps: int) -> Found:
    free, calm = _hurt_loop(path.with_name(path.name + "-free"), 0.0, steps)
    ended, hurt = _hurt_loop(path, delay, steps)
    wrong = [*free.complaints, *ended.complaints]
    if not (calm and hurt):
        return Found(False, False, ended.orphans, ended.looks, (*wrong, ended.text[-500:]), "")
    ratio = float(hurt["median"]) / float(calm["median"])
    if ratio > 1.5:
        wrong.append(f"a step took {ratio:.2f} times as long")
    found = complaints_about(path)
    run = load_run(path)
    kept, lost = len(run["discriminator_loss"]), int(run.about.get("dropped_rows", 0))
    if kept < steps and not (lost or "RuntimeWarning" in ended.text):
        wrong.append(f"{steps - kept} rows are missing and nothing says so")
    note = (
        f"median step {1e3 * float(calm['median']):.2f} ms without, {1e3 * float(hurt['median']):.2f} ms with (longest "
        f"{1e3 * float(calm['most']):.0f} and {1e3 * float(hurt['most']):.0f}); {kept} of {steps} rows kept, {lost} said to be dropped, "
        f"close took {float(hurt['close']):.1f} s, memory grew by {float(hurt['memory']):.0f} MB ({float(calm['memory']):.0f} without)"
    )
    return Found(not found, hurt["weights"] == calm["weights"], ended.orphans, ended.looks, (*wrong, *found), note)


def slow_disk(path: Path) -> Found:
    """Each write takes 0.3 s."""
    return _disk(path, 0.3, LOOP_STEPS // 2)


def hung_disk(path: Path) -> Found:
    """The third write, and every one after it, never comes back."""
    from gandiag.recording import writing

    bound, wait = writing.BACKLOG_BYTES, writing.PATIENCE_SECONDS
    writing.BACKLOG_BYTES, writing.PATIENCE_SECONDS = 2**20, 2.0  # so that the bound is reached in seconds
    try:
        return _disk(path, 10_000.0, LOOP_STEPS)
    finally:
        writing.BACKLOG_BYTES, writing.PATIENCE_SECONDS = bound, wait


# ----------------------------------------------------------------------------------------------------------- data workers


class Points(torch.utils.data.Dataset):  # type: ignore[type-arg]  # of tensors
    """Random points; the worker that is asked for number `dies_at` is killed."""

    def __init__(self, count: int, dies_at: int | None) -> None:
        self.count, self.dies_at = count, dies_at

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        if index == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.0005)
        return torch.full((2,), float(index) / self.count)


def _batches(count: int, dies_at: int | None) -> Any:
    return torch.utils.data.DataLoader(
        Points(count, dies_at), batch_size=16, num_workers=2, multiprocessing_context="fork"
    )


def dead_worker(path: Path) -> Found:
    """A data worker is killed (out of memory, say): torch raises, the run says failed and holds every step."""
    ended = in_child(lambda: _discard(loop(path, 0, batches=_batches(16 * 300, 16 * 200))), path)
    wrong = list(ended.complaints)
    if "DataLoader worker" not in ended.text:
        wrong.append(f"torch's own error is not shown: {ended.text[-300:]}")
    if status_of(path) != "failed":
        wrong.append(f"the run says {status_of(path)}")
    found = complaints_about(path)
    kept = len(load_run(path)["discriminator_loss"])
    return Found(not found, True, ended.orphans, ended.looks, (*wrong, *found), f"{kept} steps kept, status failed")


def killed_with_workers(path: Path) -> Found:
    """kill -9 of a training whose data workers live on for a moment: they leave, and the folder is free for a resume at once."""

    def body() -> None:
        signal.setitimer(signal.ITIMER_REAL, 1.5)
        loop(path, 0, batches=_batches(16 * 100_000, None))

    ended = in_child(body, path)  # waits for the workers, which look for their parent every 5 s
    again, wrong = path.with_name(path.name + "-lock"), list(ended.complaints)

    def hold() -> None:
        writer = RunWriter(again, {})
        if os.fork() == 0:
            time.sleep(30)  # a worker that does not notice
            os._exit(0)
        writer.path.joinpath("ready").touch()
        time.sleep(30)

    child = os.fork()
    if not child:
        os.setsid()
        hold()
        os._exit(0)
    while not (again / "ready").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        RunWriter(again, {}, resume_at=0).close()
    except Exception as error:
        wrong.append(f"a worker that lives on holds the folder: {error}")
    for process in [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _session(p) == child]:
        os.kill(process, signal.SIGKILL)
    found = complaints_about(path)
    return Found(
        not found,
        True,
        ended.orphans,
        ended.looks,
        (*wrong, *found),
        "the folder is free as soon as its writer is dead",
    )


def _session(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[3])
    except OSError:
        return -1


def _discard(value: object) -> None:
    return None


# ---------------------------------------------------------------------------------------------------------- command line


def settings(path: Path) -> list[str]:
    """Returns the command line's options for the benchmark's configuration, whatever the default recipe says."""
    file = path.with_name(path.name + ".toml")
    file.write_text(as_toml(CONFIG), encoding="utf-8")
    return ["--config", str(file)]


def _look_on(process: subprocess.Popen[str], path: Path, act: Any = None) -> Ended:
    """Reads the run again and again until the process ends; `act(path)` is asked each time until it returns True."""
    complaints: list[str] = []
    looks, until = 0, time.monotonic() + PATIENCE
    while process.poll() is None:
        looks += 1
        complaints += complaints_about(path)
        if act is not None and act(path):
            act = None
        if time.monotonic() > until:
            os.killpg(process.pid, signal.SIGKILL)
            complaints.append(f"it hung for {PATIENCE:g} s")
        time.sleep(LOOK_SECONDS)
    text = process.stdout.read() if process.stdout is not None else ""
    if process.stdout is not None:
        process.stdout.close()
    return Ended(process.returncode, text, orphans(process.pid), tuple(dict.fromkeys(complaints)), looks)


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _steps_of(path: Path) -> int:
    try:
        return load_run(path).steps
    except Exception:
        return 0


def signalled(path: Path, sent: Sequence[int]) -> Ended:
    """Starts `gandiag run` and sends it signals, one after the other, once it has some steps."""
    process = _start(["gandiag", "run", "--out", str(path), *settings(path)])
    left = list(sent)

    def act(path: Path) -> bool:
        if _steps_of(path) >= 30:
            for number in left:
                process.send_signal(number)
                time.sleep(0.003)
            return True
        return False

    return _look_on(process, path, act)


def torchrun(path: Path, *, kill_at: int | None, resume: bool = False) -> Ended:
    """Trains on two processes; kills the second one when the run has so many steps."""
    what = ["--resume", str(path)] if resume else ["--out", str(path), *settings(path)]
    process = _start(
        ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "gandiag", "run", "--no-report", *what]
    )

    def act(path: Path) -> bool:
        if kill_at is None or _steps_of(path) < kill_at:
            return False
        for entry in Path("/proc").iterdir():
            try:
                ours = entry.name.isdigit() and f"PPid:\t{process.pid}\n" in (entry / "status").read_text()
                if ours and b"\0LOCAL_RANK=1\0" in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
                    return True
            except OSError:
                continue
        return False

    return _look_on(process, path, act)


def race(path: Path) -> tuple[list[int], str]:
    """Starts the same training twice into one folder; returns their exit codes and what they said."""
    both = [_start(["gandiag", "run", "--out", str(path), *settings(path)]) for _ in range(2)]
    ended = [_look_on(process, path) for process in both]
    return [e.code for e in ended], "\n".join(e.text for e in ended)
