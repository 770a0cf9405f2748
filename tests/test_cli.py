"""The command line as a whole: unknown verbs, exit codes, one line for an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def gandiag(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gandiag", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )


def test_an_unknown_verb_is_a_usage_error_that_names_the_nearest() -> None:
    done = gandiag("reprot", "x")
    assert done.returncode == 2
    assert "did you mean 'report'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_a_usage_error() -> None:
    done = gandiag("run", "--sede", "1")
    assert done.returncode == 2
    assert "--seed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["report", "check", "export"])
def test_a_folder_that_is_no_run_is_one_line(verb: str, tmp_path: Path) -> None:
    done = gandiag(verb, str(tmp_path), *(["-o", str(tmp_path / "b")] if verb == "export" else []))
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr
    assert "no run" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_version() -> None:
    from gandiag import __version__

    assert gandiag("--version").stdout.strip() == f"gandiag {__version__}"
