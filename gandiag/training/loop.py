"""train: the loop around the training step. It evaluates, keeps checkpoints, resumes exactly, and stops when it should.

Plain torch, and no Fabric or Accelerate: what they would take off this file is the choice of a device and a few lines of mixed
precision, and what they would add is a wrapper around modules and optimizers that the recorder's hooks, double backward passes and the
exact resume would all have to see through.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import torch

from gandiag.diagnosis.finding import Finding
from gandiag.errors import GandiagError, RunError
from gandiag.recording import Recorder
from gandiag.training.alarms import look
from gandiag.training.checkpoint import forget_after, load_checkpoint
from gandiag.training.config import Config
from gandiag.training.dataset import label_agreement, mixed_seed
from gandiag.training.pause import due, pause
from gandiag.training.players import as_settings, initial_settings
from gandiag.training.preparation import CUBLAS_WORKSPACE, Training, prepare
from gandiag.training.processes import leave_processes
from gandiag.training.resume import remind, restore
from gandiag.training.schedule import learning_rate_factor, parse_changes, settings_at
from gandiag.training.step import Turn, play, set_learning_rates, update_average

LEAST_FREE_BYTES = 32 * 2**20  # a run that cannot even write this much is not begun
NO_MEMORY = "DefaultCPUAllocator"  # torch has an error of its own for a lack of memory on a GPU, and on the CPU a text
OWN_RANDOMNESS = 3  # the stream of what networks draw themselves, dropout say
ADAPTIVE_TOLD_EVERY = 16  # ADA's p is read off the device this often only
Ended = Literal["finished", "interrupted", "stopped"]


@dataclass(frozen=True)
class Progress:
    """Where a training is: handed to `watch` after every step."""

    path: Path
    step: int
    steps: int
    images: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """How a training ended: after which step, and why it stopped where it stopped early."""

    path: Path
    step: int
    ended: Ended
    why: str = ""


def train(
    config: Config,
    *,
    out: str | os.PathLike[str],
    resume: bool = False,
    about: Mapping[str, Any] | None = None,
    watch: Callable[[Progress], object] | None = None,
    on_finding: Callable[[Finding], None] | None = None,
) -> Outcome:
    """Trains as the configuration says, records every step to the run directory `out`, and returns how it ended.

    `resume` continues the run at its last checkpoint, on the CPU bit for bit as if it had never stopped. `about` is merged into run.json.
    Ctrl-C and SIGTERM end the training after the step that is going on, with a checkpoint; a second one ends it at once. `watch` is
    called after every step, and ends the training where it returns True (a pruner of a sweep, say).
    """
    path = Path(out)
    refuse_unusable_folder(path, resume=resume)
    with _machine_put_back(), _lack_of_memory_told():
        checkpoint = load_checkpoint(path) if resume else None
        training = prepare(config)
        if checkpoint is not None:
            restore(training, checkpoint)
        with (
            _signals() as asked_to_stop,
            _recording(training, path, None if checkpoint is None else checkpoint.step, about) as recorder,
        ):
            if checkpoint is not None and recorder is not None:
                forget_after(path, checkpoint.step)
                remind(recorder, checkpoint.state)
                recorder.record_event("resumed", checkpoint=checkpoint.step)
            outcome = _play_on(
                training,
                recorder,
                path,
                resumed_at=None if checkpoint is None else checkpoint.step,
                asked_to_stop=asked_to_stop,
                watch=watch,
                on_finding=on_finding,
            )
            if recorder is not None:
                recorder.update_about(ended_because=outcome.why or None)
                recorder.close("interrupted" if outcome.ended == "interrupted" else "finished")
        leave_processes(training.processes)
    return outcome


def dry_run(config: Config) -> Training:
    """Builds everything and plays one step, so that what does not fit is found; writes nothing."""
    with _machine_put_back(), _lack_of_memory_told():
        training = prepare(config)
        play(training.players, training.rules, as_settings(initial_settings(training.config)), training.update)
    return training


def refuse_unusable_folder(path: Path, *, resume: bool) -> None:
    """Raises RunError where a run cannot be written to: the folder holds something else, or the disk is full."""
    if not resume and path.exists() and (not path.is_dir() or any(path.iterdir())):
        what = "holds another run" if (path / "run.json").exists() else "exists and is not empty"
        raise RunError(f"{path} {what}: give another folder with --out, or continue that run with --resume {path}")
    place = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        needed = f"a run needs at least {LEAST_FREE_BYTES // 2**20} MiB"
        raise RunError(
            f"no disk space: {place} has {free / 2**20:.0f} MiB left, {needed}; free some, or give another place with --out"
        )


def _play_on(
    training: Training,
    recorder: Recorder | None,
    path: Path,
    *,
    resumed_at: int | None,
    asked_to_stop: threading.Event,
    watch: Callable[[Progress], object] | None,
    on_finding: Callable[[Finding], None] | None,
) -> Outcome:
    config, players = training.config, training.players
    changes, initial, began = parse_changes(config.changes), initial_settings(config), time.monotonic()
    unwanted = False
    while True:
        ended, why = _reason_to_stop(training, time.monotonic() - began, asked_to_stop, unwanted)
        if ended is None and players.step and due(players.step, config.diagnose_every):
            ended, why = _alarmed(training, recorder, on_finding)
        if recorder is not None:
            pause(training, recorder, last=ended is not None, fresh=players.step != resumed_at)
        if ended is not None:
            return Outcome(path, players.step, ended, why)
        settings = as_settings(settings_at(players.step, initial, changes))
        factor = learning_rate_factor(players.step, schedule=config.schedule, warmup=config.warmup, steps=config.steps)
        set_learning_rates(players, settings.lr_g * factor, settings.lr_d * factor, training.rules.penalty_every)
        if (
            training.processes.rank
        ):  # one process writes checkpoints: what the others draw must not depend on more than the step
            players.noise.manual_seed(mixed_seed(config.seed, training.processes.rank, players.step))
            torch.manual_seed(mixed_seed(config.seed, OWN_RANDOMNESS, training.processes.rank, players.step))
        d_turn, g_turn = play(players, training.rules, settings, training.update)
        _record(training, recorder, d_turn, g_turn)
        players.step += 1
        update_average(
            players,
            images=players.step * config.batch,
            half_life=config.ema_images,
            ramp=config.ema_ramp,
            batch=config.batch,
        )
        if watch is not None and recorder is not None:
            unwanted = (
                watch(Progress(path, players.step, config.steps, players.step * config.batch, time.monotonic() - began))
                is True
            )


def _record(training: Training, recorder: Recorder | None, d_turn: Turn, g_turn: Turn) -> None:
    processes, players = training.processes, training.players
    seen: dict[str, Any] = {
        name: None if (value := getattr(d_turn, name)) is None else processes.gathered(value)
        for name in ("real_logits", "fake_logits", "real", "fake")
    }
    seen |= {
        "d_loss": processes.mean(d_turn.loss),
        "g_loss": processes.mean(g_turn.loss),
        "d_penalty": processes.mean(d_turn.penalty),
    }
    if recorder is not None:
        told = players.adaptive is not None and due(players.step, ADAPTIVE_TOLD_EVERY)
        recorder.step(
            **seen,
            data_wait_seconds=training.rules.waited.take(),
            augmentation_probability=float(players.adaptive.p) if told and players.adaptive is not None else None,
        )


def _reason_to_stop(
    training: Training, seconds: float, asked_to_stop: threading.Event, unwanted: bool
) -> tuple[Ended | None, str]:
    config, step, agreed = training.config, training.players.step, training.processes.agreed
    asked = agreed(2 * int(asked_to_stop.is_set()) + int(unwanted))  # one message a step for both
    if asked >= 2:
        return "interrupted", "it was interrupted"
    if asked:
        return "stopped", "whoever watched it asked for that"
    if step >= config.steps:
        return "finished", ""
    if config.images is not None and step * config.batch >= config.images:
        return "stopped", f"{config.images} images were shown"
    if config.minutes is not None and agreed(int(seconds >= 60 * config.minutes)):
        return "stopped", f"{config.minutes:g} minutes are over"
    return None, ""


def _alarmed(
    training: Training, recorder: Recorder | None, on_finding: Callable[[Finding], None] | None
) -> tuple[Ended | None, str]:
    """Diagnoses what was recorded so far; on several processes all learn whether the first one wants to stop."""
    why = ""
    if recorder is not None:
        why = look(
            recorder, stop_on=training.config.stop_on, stop_when=training.config.stop_when, on_finding=on_finding
        )
    return ("stopped", why) if training.processes.agreed(int(bool(why))) else (None, "")


@contextmanager
def _recording(
    training: Training, path: Path, resume_at: int | None, about: Mapping[str, Any] | None
) -> Iterator[Recorder | None]:
    """Opens the recorder of the process that writes; notes `failed` or `interrupted` where the training does not come to its end."""
    if not training.processes.writes:
        yield None
        return
    config, players = training.config, training.players
    known = {
        "config": asdict(config),
        "seed": config.seed,
        "steps_planned": config.steps,
        "loss": config.loss,
        "data": {
            **training.shown.about(),
            "count": training.data.about()["count"],
            "label_agreement": label_agreement(training.data),
        },
        "device": {"type": training.device.type, "name": device_name(training.device)},
        "processes": training.processes.world,
    }
    with Recorder(
        path,
        generator=players.generator,
        discriminator=players.discriminator,
        generator_optimizer=players.generator_optimizer,
        discriminator_optimizer=players.discriminator_optimizer,
        probes=config.probes,
        about={**known, **(about or {})},
        resume=False if resume_at is None else resume_at,
        alone=True,  # `_record` gathers, so that rank 0 can flush for a checkpoint or a diagnosis without the others
    ) as recorder:
        yield recorder


def device_name(device: torch.device) -> str:
    """Returns what the device calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    count = torch.get_num_threads()
    return f"{device.type}, {count} thread{'' if count == 1 else 's'}"


@contextmanager
def _machine_put_back() -> Iterator[None]:
    """Puts back what a training sets for the whole process: its caller's own work may come after it."""
    threads, warning = torch.get_num_threads(), torch.is_deterministic_algorithms_warn_only_enabled()
    deterministic, workspace = torch.are_deterministic_algorithms_enabled(), os.environ.get(CUBLAS_WORKSPACE[0])
    try:
        yield
    finally:
        if workspace is None:
            os.environ.pop(CUBLAS_WORKSPACE[0], None)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic, warn_only=warning)


@contextmanager
def _lack_of_memory_told() -> Iterator[None]:
    """Says in one sentence that a device's memory does not suffice, and what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, (MemoryError, torch.OutOfMemoryError)) and NO_MEMORY not in str(error):
            raise
        found = (str(error).splitlines() or [type(error).__name__])[0]
        raise GandiagError(
            f"the device is out of memory ({found}): choose a smaller --batch, or --set accumulate=2"
        ) from None


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Turns the first Ctrl-C or SIGTERM into a wish to stop that the loop sees between two steps; the second one is what it always was."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        for other, handler in before.items():
            signal.signal(other, handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
