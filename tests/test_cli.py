"""The command line as a whole: unknown verbs, exit codes, one line for an error."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import gandiag
from gandiag.cli import VERBS, group, main
from tests import made_runs


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """Calls the console script in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def gandiag(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return gandiag


def test_python_m_gandiag_is_the_console_script() -> None:
    done = subprocess.run([sys.executable, "-m", "gandiag", "reprot"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "did you mean 'report'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of things that are no run, or no whole one."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "empty").mkdir()
    (folder / "text.txt").write_text("hello world\n")
    made_runs.MADE["healthy"](folder / "run", steps=40)
    shutil.copytree(folder / "run", folder / "torn")
    (folder / "torn" / "run.json").write_bytes((folder / "run" / "run.json").read_bytes()[:100])
    return folder


MISTAKES = [
    ("chek run", 2, "did you mean 'check'?"),
    ("run --sede 1", 2, "did you mean --seed?"),
    ("run --recipe dcgn", 2, "did you mean 'dcgan'?"),
    ("run --resume torn", 3, "torn/run.json cannot be read"),
    ("check", 2, "give at least one RUN"),
    ("check missing.log", 3, "missing.log does not exist"),
    ("check empty", 3, "empty is no run: it has no run.json; give the folder that"),
    ("check text.txt", 3, "text.txt has no line with a number that is known here"),
    ("check torn", 3, "torn/run.json cannot be read"),
    ("report empty", 3, "empty is no run"),
    ("report missing", 3, "missing does not exist"),
    ("report torn", 3, "torn/run.json cannot be read"),
    ("show torn", 3, "torn/run.json cannot be read"),
    ("show run generator_gradient_nrm", 3, "did you mean 'generator_gradient_norm'"),
    ("compare", 2, "Missing argument 'RUNS...'"),
    ("compare run torn", 3, "torn/run.json cannot be read"),
    ("watch missing", 3, "missing does not exist"),
    ("list missing", 3, "missing is no folder"),
    ("export run", 2, "Missing option '-o' / '--out'"),
    ("export empty -o bundle", 3, "empty is no run"),
    ("export run -o bundle", 3, "run has no checkpoint 'last'; it has none"),
    ("export run -o bundle --checkpoint newest", 2, "choose best, last, or a step"),
    ("verify missing", 3, "missing does not exist"),
    ("verify text.txt", 3, "text.txt is no bundle"),
    ("evaluate text.txt", 2, "Missing option '--real'"),
    ("evaluate --real text.txt --fake run", 2, "text.txt is no kind of image set that is known; give"),
    ("evaluate --real missing --fake run", 2, "missing does not exist; give a folder of images"),
    ("evaluate --real digits --fake empty", 2, "empty holds no images"),
    ("evaluate --real digits --fake run", 3, "run has no checkpoint"),
    ("attach missing.py", 2, "there is no script missing.py"),
    ("sweep --over lrg=1:2", 2, "did you mean 'lr_g'"),
    ("recipes dcgn", 2, "did you mean 'dcgan'"),
    ("completion tcsh", 2, "tcsh"),
]


@pytest.mark.parametrize(("line", "code", "wanted"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_a_mistake_says_what_was_found_and_what_to_do(
    line: str, code: int, wanted: str, broken: Path, say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken)
    before = sorted(str(f) for f in broken.rglob("*"))
    said = say(*line.split())
    assert wanted in said.err
    assert said.code == code
    assert said.out == ""
    assert "Traceback" not in said.err
    assert sum(row.startswith("Error: ") for row in said.err.splitlines()) == 1
    assert sorted(str(f) for f in broken.rglob("*")) == before


def test_a_fault_is_told_whole_and_under_no_code_that_means_a_finding(
    say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("gandiag.cli.group.main", fail)
    said = say("show", "run")
    assert said.code == 3
    assert "Traceback" in said.err
    assert "a fault of ours" in said.err


def test_the_version(say: Callable[..., Said]) -> None:
    assert say("--version").out.strip() == f"gandiag {gandiag.__version__}"


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --no-files")]
)
def test_the_completion_script_is_the_shells_own(shell: str, word: str, say: Callable[..., Said]) -> None:
    said = say("completion", shell)
    assert said.code == 0
    assert word in said.out
    assert "_GANDIAG_COMPLETE" in said.out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("gandiag re", {"report", "recipes"}),
        ("gandiag completion f", {"fish"}),
        ("gandiag run --re", {"--recipe", "--resume", "--report"}),
    ],
)
def test_what_the_script_asks_is_answered(
    typed: str, offered: set[str], say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_GANDIAG_COMPLETE": "bash_complete"}
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    assert {line.partition(",")[2] for line in say().out.splitlines()} == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here: its script is not run")
def test_bash_takes_the_script(say: Callable[..., Said]) -> None:
    script = say("completion", "bash").out
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
