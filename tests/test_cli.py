"""The command line as a whole: unknown verbs, exit codes, one line for an error."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gandiag.cli import VERBS, group


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


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --no-files")]
)
def test_the_completion_script_is_the_shells_own(shell: str, word: str) -> None:
    done = gandiag("completion", shell)
    assert done.returncode == 0
    assert word in done.stdout
    assert "_GANDIAG_COMPLETE" in done.stdout
    assert gandiag("completion", "tcsh").returncode == 2


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("gandiag re", {"report", "recipes"}),
        ("gandiag completion f", {"fish"}),
        ("gandiag run --re", {"--recipe", "--resume", "--report"}),
    ],
)
def test_what_the_script_asks_is_answered(typed: str, offered: set[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_GANDIAG_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-m", "gandiag"], capture_output=True, text=True, check=False, env={**os.environ, **words}
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here: its script is not run")
def test_bash_takes_the_script() -> None:
    assert shutil.which("bash")
    script = gandiag("completion", "bash").stdout
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", list(VERBS))
def test_the_help_texts_read_as_one_voice(verb: str) -> None:
    """A sentence in the imperative first; each option says in a sentence what it does; runnable examples, one a line, last."""
    found = group.get_command(click.Context(group), verb)
    assert found is not None
    first = (found.help or "").split()[0]
    assert first[0].isupper()
    assert not first.endswith("s")
    assert VERBS[verb].endswith((".", "..."))
    *_, heading, examples = re.split(r"^(Examples?:)\n", found.epilog or "", flags=re.M)
    lines = [line for line in examples.splitlines() if line.strip()]
    assert (heading == "Examples:") == (len(lines) > 1)
    for line in lines:
        assert re.match(r"  (gandiag|torchrun) ", line), f"{verb}: {line!r}"
    for option in found.params:
        if isinstance(option, click.Option) and option.help:
            assert option.help[0].isupper() or " " not in option.help.split(",")[0], (
                f"{verb} {option.name}: {option.help}"
            )
            if "--json" in option.opts:
                assert option.help.startswith("Print one JSON document on stdout"), f"{verb}: {option.help}"
