"""`python ...` in a process of its own, forked from one that has torch: the import alone costs seconds, and many tests want such a process.

What is tested by it ends as under Python: exit code, traceback on stderr, `atexit`, signals. Where the start of Python itself matters
(what is imported when, torchrun), a test starts Python afresh by `subprocess`, and so does this file where there is no forkserver.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

WARM = "torch torch.distributed gandiag.training gandiag.recording.attachment gandiag.reporting gandiag.diagnosis pandas plotly"
HAS_SERVER = "forkserver" in multiprocessing.get_all_start_methods()
CONTEXT = multiprocessing.get_context("forkserver" if HAS_SERVER else "spawn")
if HAS_SERVER:
    CONTEXT.set_forkserver_preload(WARM.split())


class Started:
    """A process of Python's: `pid`, `poll`, `send_signal` and `communicate` as Popen has them."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> None:
        self.said = Path(folder, f".said-{os.urandom(6).hex()}")  # two files: pipes would want a reader
        self.child = CONTEXT.Process(target=_be, args=(arguments, str(folder), dict(environment), str(self.said)))
        self.child.start()

    def poll(self) -> int | None:
        """Returns the exit code, negative for a signal's number, None while it runs."""
        return self.child.exitcode

    def send_signal(self, number: int) -> None:
        """Sends a signal to the process."""
        assert self.child.pid is not None
        os.kill(self.child.pid, number)

    def communicate(self, timeout: float = 240.0) -> subprocess.CompletedProcess[str]:
        """Waits for its end and returns what it said; a process that does not end in time is killed and TimeoutExpired raised."""
        self.child.join(timeout)
        code = self.child.exitcode
        if code is None:
            self.child.kill()
            self.child.join()
        out, err = (_taken(self.said.with_suffix(end)) for end in (".out", ".err"))
        if code is None:
            raise subprocess.TimeoutExpired(self.child.name, timeout, out, err)
        return subprocess.CompletedProcess([], code, out, err)


def start(*arguments: str, cwd: Path, env: Mapping[str, str] = os.environ) -> Started:
    """Starts `python ARGUMENTS`: a script, or `-m MODULE`, and its own arguments."""
    return Started(arguments, cwd, {**os.environ, **env})


def python(*arguments: str, cwd: Path, env: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    """Runs `python ARGUMENTS` to its end."""
    return start(*arguments, cwd=cwd, env=env).communicate()


def ranks(
    *arguments: str, cwd: Path, count: int, env: Mapping[str, str] = os.environ
) -> list[subprocess.CompletedProcess[str]]:
    """Runs `python ARGUMENTS` in so many processes of one group, as torchrun would start them (one: in a plain one), and returns what each said."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        group = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    places = [{**group, "RANK": str(i), "LOCAL_RANK": str(i)} for i in range(count)] if count > 1 else [{}]
    started = [start(*arguments, cwd=cwd, env={**env, **place}) for place in places]
    return [one.communicate() for one in started]


def _taken(file: Path) -> str:
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    file.unlink(missing_ok=True)
    return text


def _be(arguments: tuple[str, ...], folder: str, environment: dict[str, str], said: str) -> None:
    """Becomes `python ARGUMENTS`, and ends with its exit code."""
    for number, end in ((1, ".out"), (2, ".err")):
        file = os.open(said + end, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(file, number)
        os.close(file)
    sys.stdin.close()
    multiprocessing.set_start_method(None, force=True)  # that of a fresh Python, and not the one of this process
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 1
    try:
        _run(arguments, folder)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter does at its own end
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:
                stream.flush()
    sys.exit(code)  # to multiprocessing, which ends the process


def _run(arguments: tuple[str, ...], folder: str) -> None:
    if arguments[0] == "-m":
        sys.argv = [arguments[1], *arguments[2:]]
        sys.path.insert(0, folder)
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
        runpy.run_path(arguments[0], run_name="__main__")
