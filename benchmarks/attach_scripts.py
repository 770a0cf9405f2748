"""Runs strangers' scripts bare and attached and compares them: `python -m benchmarks.attach --scripts FOLDER`; here is the comparison."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# in the folder, one script with its arguments a line; without it every *.py in the folder is run
COMMANDS = "commands.txt"
GRACE_SECONDS = 240  # beyond the limit, for the report's imports and a last evaluation
NUMBERS = re.compile(r"[-+]?\d[\d.,:]*(e[-+]?\d+)?")
COLUMNS = ("script", "updates", "players", "weights", "streams", "stdout", "exit", "verdict")


@dataclass(frozen=True)
class Ended:
    """What one process left behind."""

    facts: dict[str, Any]  # of the child: updates, weights, streams, empty where it never came to its end
    code: int
    stdout: str
    stderr: str
    run: Path
    seconds: float


@dataclass(frozen=True)
class Compared:
    """One script, bare and attached."""

    script: str
    updates: int
    players: str
    weights: str
    streams: str
    stdout: str
    exit: str
    verdict: str
    said: str

    @property
    def is_the_same(self) -> bool:
        """Whether attach left no trace."""
        return {self.weights, self.streams, self.exit} == {"same"} and self.stdout != "DIFFERS"


def commands_in(folder: Path, only: str) -> list[list[str]]:
    """Returns each script's command, the path relative to the folder first."""
    listed = folder / COMMANDS
    lines = (
        listed.read_text().splitlines()
        if listed.exists()
        else [shlex.quote(p.name) for p in sorted(folder.glob("*.py"))]
    )
    return [shlex.split(line) for line in lines if line.strip() and not line.startswith("#") and only in line]


def compare(folder: Path, command: list[str], *, updates: int, seconds: float) -> Compared:
    """Runs one script in two copies of its folder, the second attached and ended after as many updates as the first."""
    with tempfile.TemporaryDirectory() as scratch:
        bare = run_child(folder, command, Path(scratch) / "bare", "bare", updates, seconds)
        cut = bare.facts["updates"] if bare.facts.get("cut") else 0
        attached = run_child(folder, command, Path(scratch) / "attached", "attached", cut, 0)
        return judged(command, bare, attached)


def run_child(folder: Path, command: list[str], at: Path, how: str, updates: int, seconds: float) -> Ended:
    """Runs one script in a process of its own, in a copy of the folder's part that it lies in, from its own folder."""
    script = Path(command[0])
    part = Path(*script.parts[:1]) if len(script.parts) > 1 else Path()
    shutil.copytree(folder / part, at / "copy" / part, symlinks=True)
    where = at / "copy" / script.parent
    result = at / "result.json"
    began = time.perf_counter()
    arguments = [__file__, how, str(result), str(updates), str(seconds), script.name, *command[1:]]
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            check=False,
            cwd=where,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=(seconds or 2 * GRACE_SECONDS) + GRACE_SECONDS,
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as expired:
        code, out, err = -1, expired.stdout or b"", (expired.stderr or b"") + b"\nkilled: it hung"
    facts = json.loads(result.read_text()) if result.exists() else {}
    taken = time.perf_counter() - began
    return Ended(facts, code, out.decode(errors="replace"), err.decode(errors="replace"), at / "run", taken)


def judged(command: list[str], bare: Ended, attached: Ended) -> Compared:
    """Puts the two beside one another."""
    said = "\n".join(line for line in attached.stderr.splitlines() if line.startswith("gandiag: "))
    return Compared(
        script=" ".join(command),
        updates=bare.facts.get("updates", 0),
        players=players_of(attached),
        weights=same(bare, attached, "weights"),
        streams=same(bare, attached, "streams"),
        stdout=same_text(bare.stdout, attached.stdout),
        exit="same" if bare.code == attached.code else f"{bare.code} / {attached.code}",
        verdict=verdict_of(attached),
        said=said if said and bare.code == attached.code else attached.stderr[-1500:],
    )


def players_of(ended: Ended) -> str:
    """Says whom attach found, or why nobody."""
    about = ended.run / "run.json"
    if about.exists():
        facts = json.loads(about.read_text())["attached"]
        return f"{facts['generator']} against {facts['discriminator']}; {facts['order']}"
    found = re.search(r"no GAN was trained here: (.*); nothing was recorded", ended.stderr)
    return f"none: {found[1]}" if found else "none, and nothing was said"


def verdict_of(ended: Ended) -> str:
    """Returns the verdict that was printed."""
    found = re.search(r"gandiag: (STABLE|SUSPECT|UNSTABLE|INCONCLUSIVE): ", ended.stderr)
    return found[1] if found else ""


def same(bare: Ended, attached: Ended, what: str) -> str:
    """Tells whether both ended with the same weights, or random streams."""
    a, b = bare.facts.get(what), attached.facts.get(what)
    if a is None or b is None:
        return "no end"
    return "same" if a == b else "DIFFER"


def same_text(bare: str, attached: str) -> str:
    """Tells whether both printed the same; times and speeds that a script prints differ between any two runs of it."""
    if bare == attached:
        return "same"
    return "same but for numbers" if NUMBERS.sub("0", bare) == NUMBERS.sub("0", attached) else "DIFFERS"


def table(found: list[Compared]) -> str:
    """Returns the comparison as a Markdown table."""
    rows = [[str(getattr(one, name)).replace("|", "/") for name in COLUMNS] for one in found]
    lines = [" | ".join(row) for row in ([*COLUMNS], ["---"] * len(COLUMNS), *rows)]
    alike = sum(one.is_the_same for one in found)
    return "\n".join(f"| {line} |" for line in lines) + f"\n\n{alike} of {len(found)} left without a trace"


def compare_all(folder: Path, *, updates: int, seconds: float, only: str, say: Callable[[str], None]) -> list[Compared]:
    """Compares every script of the folder, and says each as it is done."""
    found = []
    for command in commands_in(folder, only):
        one = compare(folder, command, updates=updates, seconds=seconds)
        found.append(one)
        same_or_not = f"weights {one.weights}, streams {one.streams}, stdout {one.stdout}, exit {one.exit}"
        say(f"== {one.script}: {one.updates} updates, {same_or_not}\n   {one.players}\n{one.said}")
    return found


# ------------------------------------------------------------------------------------------------------------------ the child


def child(how: str, result: str, updates: int, seconds: float, script: str, arguments: list[str]) -> int:
    """Runs the script with seeded streams until it ends by itself or has had so many updates (0: any); leaves what it came to."""
    import numpy as np
    import torch
    from torch.optim import optimizer as optimizers

    from gandiag.cli import attach_script

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the stream that strangers' scripts draw from
    random.seed(0)
    seen: dict[int, Any] = {}
    made = 0
    end = time.monotonic() + seconds if seconds else float("inf")

    def stepped(optimizer: Any, _arguments: Any, _named: Any) -> None:
        nonlocal made
        seen[id(optimizer)] = optimizer
        made += 1
        if made == updates or time.monotonic() > end:
            leave(cut=True)
            raise SystemExit(0)

    def leave(*, cut: bool) -> None:
        weights, streams = hashlib.sha256(), hashlib.sha256()
        for optimizer in seen.values():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    weights.update(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        streams.update(torch.get_rng_state().numpy().tobytes())
        streams.update(repr((random.getstate(), np.random.get_state())).encode())  # noqa: NPY002 - as above
        facts = {"updates": made, "weights": weights.hexdigest(), "streams": streams.hexdigest(), "cut": cut}
        Path(result).write_text(json.dumps(facts))

    def run_and_leave(*arguments: Any, **named: Any) -> tuple[int, str]:
        ended = as_python_would(*arguments, **named)
        if not Path(result).exists():
            leave(cut=False)
        return ended

    as_python_would = attach_script._run_as_python_would  # what it came to is noted before gandiag judges it
    attach_script._run_as_python_would = run_and_leave
    optimizers.register_optimizer_step_post_hook(stepped)
    if how == "bare":
        code, _ = run_and_leave(script, arguments, as_module=False)
    else:
        wishes = attach_script.Wishes(
            out=Path(result).parent / "run",
            every=200,
            stop_on=(),
            bundle=None,
            generator=None,
            discriminator=None,
            report=True,
        )
        code = attach_script.run_script(script, arguments, as_module=False, wishes=wishes)
    return code


if __name__ == "__main__":
    _, way, to, count, limit, path, *rest = sys.argv
    raise SystemExit(child(way, to, int(count), float(limit), path, rest))
