"""A small part of `benchmarks/faults.py`: a training that is killed at an awkward moment, or runs out of memory, loses nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(
    sys.platform != "linux", reason="the faults are played by fork and counted in /proc: not played here"
)
def test_killed_in_a_checkpoint_and_out_of_memory_the_run_loads_and_is_resumed_to_the_bit() -> None:
    command = [sys.executable, "-m", "benchmarks.faults", "--only", "checkpoint,oom", "--kills", "1", "--seed", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "2 faults, 0 things wrong" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith(("| kill", "| out"))]
    assert [row[1:5] for row in rows] == [["1", "1", "1", "0"]] * 2  # times, loads, exact, orphans
