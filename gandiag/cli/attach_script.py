"""Runs a stranger's script as Python would, with gandiag watching: its argv, its exit code, its own traceback."""

from __future__ import annotations

import contextlib
import os
import re
import runpy
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from gandiag.errors import GandiagError, UsageError, did_you_mean

JUDGE_SECONDS = 2.0  # the least between two live judgements; they never take more than a twentieth of the time
JUDGE_SHARE = 20.0


@dataclass(frozen=True)
class Wishes:
    """What the user asked of `gandiag attach`."""

    out: Path | None
    every: int
    stop_on: tuple[str, ...]
    bundle: Path | None
    generator: str | None
    discriminator: str | None
    report: bool


class StopTraining(SystemExit):
    """Raised in the script when a finding of --stop-on has come up."""


def run_script(script: str, arguments: list[str], *, as_module: bool, wishes: Wishes) -> int:
    """Runs the script and returns its exit code; the run is closed, judged and reported however it ended."""
    from gandiag.recording.attachment import attach

    check_wishes(script, as_module, wishes)
    say = _own_way_to_stderr()
    out = (wishes.out or free_folder(script)).absolute()  # the script may change its working directory
    bundle = wishes.bundle and wishes.bundle.absolute()
    process = os.getpid()
    attachment = attach(
        out,
        generator=wishes.generator,
        discriminator=wishes.discriminator,
        every=wishes.every,
        say=say,
        about={"command": ["gandiag", "attach", script, *arguments], "recipe": None, "script": script},
    )
    judge = LiveJudge(
        lambda: [game.path for game in attachment.games],
        wishes.stop_on,
        lambda line: say(line) if attachment.speaks else None,
    )
    judge.start()
    code, status = _run_as_python_would(script, arguments, as_module=as_module)
    if os.getpid() != process:
        return code  # a child that the script forked
    judge.stop()
    attachment.detach(status)
    if not attachment.paths:
        say(f"no GAN was trained here: {attachment.why_not}; nothing was recorded")
        return code
    if not attachment.speaks:
        return code  # of the processes that train together, the first one tells
    for path in attachment.paths:
        if len(attachment.paths) > 1:
            say(f"{path}:")
        try:
            tell(path, report=wishes.report, say=say)
        except Exception as error:
            # the script has deleted its folder, or the fault is ours: its exit code stays its own
            say(f"Error: {error if isinstance(error, GandiagError) else f'{type(error).__name__}: {error}'}")
    if bundle is None or attachment.players is None:
        return code
    try:
        game = attachment.games[0]
        if game.passing.better is not game.passing.generator:
            say("the generator's moving average is exported: its samples were the better ones")
        export(game.passing.better, attachment.players.facts, bundle, game.path, say=say)
    except GandiagError as error:
        say(f"Error: {error}")
        return code or error.exit_code
    return code


def _own_way_to_stderr() -> Callable[[str], None]:
    """Returns what writes a line to standard error, also after the script has closed its own or put another in its place."""
    from gandiag.recording.attachment import print_to_stderr

    try:
        assert sys.__stderr__ is not None
        stream = os.fdopen(os.dup(sys.__stderr__.fileno()), "w", buffering=1, errors="backslashreplace")
    except (OSError, ValueError, AssertionError):
        return print_to_stderr

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more
            stream.write(f"gandiag: {line}\n")

    return say


def check_wishes(script: str, as_module: bool, wishes: Wishes) -> None:
    """Refuses what cannot be before the script begins; raises UsageError."""
    if not as_module and not Path(script).is_file():
        raise UsageError(f"there is no script {script}; give a Python file, or -m and a module's name")
    if wishes.stop_on:
        from gandiag.diagnosis import CHECKS

        known = [check.__name__ for check in CHECKS]
        for name in wishes.stop_on:
            if name not in known:
                raise UsageError(
                    f"--stop-on {name}: there is no such check{did_you_mean(name, known)}; known: {', '.join(known)}"
                )
    if wishes.bundle is not None and wishes.bundle.exists() and any(wishes.bundle.iterdir()):
        raise UsageError(f"--export {wishes.bundle} exists and is not empty: give another folder")


def free_folder(script: str) -> Path:
    """Returns the next free runs/NNNNN-attach-NAME."""
    root = Path("runs")
    taken = [int(m[1]) for p in (root.iterdir() if root.is_dir() else ()) if (m := re.match(r"(\d{5})-", p.name))]
    file = Path(script).stem if script.endswith(".py") else script.rsplit(".", 1)[-1]
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", file) or "script"
    return root / f"{max(taken, default=-1) + 1:05d}-attach-{name}"


# ------------------------------------------------------------------------------------------------------------ as Python would


def _run_as_python_would(script: str, arguments: list[str], *, as_module: bool) -> tuple[int, str]:
    """Runs the script; returns its exit code and how it ended: finished, interrupted or failed."""
    kept = list(sys.argv), list(sys.path)
    sys.argv = [script, *arguments]
    sys.path[0] = os.getcwd() if as_module else str(Path(script).resolve().parent)
    ours = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGTERM, _on_terminate)
    try:
        if as_module:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(os.path.abspath(script), run_name="__main__")
        return 0, "finished"
    except StopTraining:
        return 1, "interrupted"
    except SystemExit as error:
        code = _exit_code(error)
        return code, "finished" if code == 0 else "failed"
    except KeyboardInterrupt as error:
        _show(error, script)
        return 130, "interrupted"
    except BaseException as error:
        _show(error, script)
        return 1, "failed"
    finally:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # the script may have closed it
            sys.stdout.flush()
        sys.argv, sys.path[:] = kept
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _on_terminate(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{error.code}\n")
    return 1


def _show(error: BaseException, script: str) -> None:
    """Prints the script's own traceback, as Python would have: without the frames that are ours."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    with contextlib.suppress(OSError, ValueError):
        traceback.print_exception(type(error), error, trace, file=sys.stderr)


def _is_ours(trace: TracebackType) -> bool:
    name = trace.tb_frame.f_code.co_filename
    return name == __file__ or "runpy" in os.path.basename(name) or name.startswith("<frozen")


# ------------------------------------------------------------------------------------------------------------------ judging


class LiveJudge:
    """Judges the run while it goes on, in a thread of its own: each new illness is said once; those of --stop-on end the script."""

    def __init__(self, paths: Callable[[], list[Path]], stop_on: tuple[str, ...], say: Any) -> None:
        self._paths, self._stop_on, self._say = paths, stop_on, say
        self._over = threading.Event()
        self._said: set[tuple[Path, str, str]] = set()
        self._ill = False
        self._thread = threading.Thread(target=self._work, name="gandiag-judge", daemon=True)

    def start(self) -> None:
        """Begins to judge; nothing happens until the run is there."""
        # in this thread: if ours imported while the script imports too, each could wait for the other for ever
        import gandiag.diagnosis  # noqa: F401

        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after the judgement that it is at."""
        self._over.set()
        try:
            self._thread.join(timeout=30)
        except StopTraining:
            self._thread.join(timeout=30)  # it was raised just as the script ended by itself

    def _work(self) -> None:
        pause = JUDGE_SECONDS
        while not self._over.wait(pause):
            if self._ill:
                _raise_in_main(StopTraining)  # once more: the script has caught it
            there = [] if self._ill else [path for path in self._paths() if (path / "run.json").exists()]
            began = time.thread_time()
            for path in there:
                self._judge(path)
            pause = max(JUDGE_SECONDS, JUDGE_SHARE * (time.thread_time() - began))

    def _judge(self, path: Path) -> None:
        from gandiag.diagnosis import Verdict, diagnose
        from gandiag.recording.writing import BUSY
        from gandiag.run import load_run

        try:
            with BUSY:
                diagnosis = diagnose(load_run(path))
        except (GandiagError, OSError):
            return  # the run is not readable yet
        for finding in diagnosis.findings:
            if finding.verdict is not Verdict.FAILED or (path, finding.check, finding.kind) in self._said:
                continue
            self._said.add((path, finding.check, finding.kind))
            since = f" since step {finding.onset}" if finding.onset is not None else ""
            self._say(f"ALERT {finding.check}{since}: {finding.claim}")
            if finding.check in self._stop_on:
                self._say(f"stopping the script: --stop-on {finding.check}")
                self._ill = True
                _raise_in_main(StopTraining)
                return


def _raise_in_main(error: type[BaseException]) -> None:
    """Raises an exception in the main thread at its next bytecode."""
    import ctypes

    main = threading.main_thread().ident
    if main is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(error))


def tell(path: Path, *, report: bool, say: Any) -> None:
    """Says the verdict, each finding in a line, and where the report is."""
    from gandiag.diagnosis import diagnose
    from gandiag.reporting import write_report

    diagnosis = diagnose(path)
    say(f"{diagnosis.verdict.value.upper()}: {diagnosis.story}")
    for finding in diagnosis.illnesses:
        since = f", since step {finding.onset}" if finding.onset is not None else ""
        say(f"  {finding.verdict.value} {finding.check}{since}: {finding.claim}")
        if finding.remedy:
            say(f"    do: {finding.remedy}")
    if report:
        say(f"report: {write_report(path, diagnosis=diagnosis)}")


def export(generator: Any, facts: dict[str, Any], bundle: Path, run: Path, *, say: Any) -> None:
    """Exports the generator that was found, by the door that every generator takes."""
    from gandiag.export import export_generator
    from gandiag.recording.untouched import bare

    noise = [k for k in facts["latents"] if k["kind"] not in ("label", "one-hot")]
    labels = [k for k in facts["latents"] if k["kind"] == "label"]
    if len(noise) != 1 or len(noise) + len(labels) != len(facts["latents"]):
        raise UsageError(
            "--export takes generators of one latent and, at most, one label; export this one with gandiag.export_generator"
        )
    made = export_generator(
        bare(generator),
        tuple(noise[0]["shape"]),
        bundle,
        num_classes=labels[0]["classes"] if labels else None,
        latent=noise[0]["kind"] if noise[0]["kind"] in ("normal", "uniform") else "normal",
        facts={"run": run.name},
    )
    say(f"exported to {made.path}")
