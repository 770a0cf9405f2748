"""The documentation is true: quantities, commands and checks are all in it, and its code blocks run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gandiag.cli import VERBS, _file_exists
from gandiag.quantities import QUANTITIES, as_markdown
from tests import forked

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_page_of_quantities_is_the_one_that_the_code_makes() -> None:
    said = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert said == as_markdown(), "remake it: python -m gandiag.quantities > docs/metrics.md"


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_says_what_it_is(name: str) -> None:
    assert len(QUANTITIES[name].meaning) > 15
    assert QUANTITIES[name].group


@pytest.mark.parametrize("verb", [v for v in VERBS if _file_exists(v)])
def test_every_command_is_in_the_readme(verb: str) -> None:
    assert f"gandiag {verb}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_check_has_an_entry() -> None:
    from gandiag import CHECKS

    page = (ROOT / "docs" / "diagnosis.md").read_text(encoding="utf-8")
    missing = [check.__name__ for check in CHECKS if not re.search(rf"^#+ .*`?{check.__name__}`?", page, re.M)]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_no_page_names_a_path_of_somebodys_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"/(work|tmp/w|root|home/\w+)/", text)


FILE = re.compile(r"<!-- file (?P<name>[\w.-]+) -->\n```python\n(?P<content>.*?)```", re.S)
SESSION = re.compile(r"(?:<!-- says: (?P<says>[^\n]*) -->\n)?```console\n(?P<lines>.*?)```", re.S)
SHORTENED = re.compile(r"<!-- shortened by the test: (?P<name>\w+)=(?P<value>\S+) -->")


def code_of(page: Path) -> str:
    """The page's Python, hidden blocks (`<!-- hidden code ... -->`) and shown ones in their order, as one program; files of their own aside."""
    text = FILE.sub("", page.read_text(encoding="utf-8"))
    blocks = re.findall(r"<!-- hidden code[^\n]*\n(.*?)-->|```python\n(.*?)```", text, re.S)
    return "\n".join(hidden or shown for hidden, shown in blocks)


@pytest.mark.parametrize("page", [p for p in PAGES if code_of(p).strip()], ids=lambda p: p.name)
def test_the_pages_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code_of(page), page.name, "exec"), {"__name__": "__docs__"})


@pytest.mark.parametrize(
    "page", [p for p in PAGES if SESSION.search(p.read_text(encoding="utf-8"))], ids=lambda p: p.name
)
def test_the_pages_commands_run_and_say_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """Each `$ command` of a console block, in one folder; `# exit code N` is held to, and the words of `<!-- says: a; b -->`."""
    text = page.read_text(encoding="utf-8")
    for file in FILE.finditer(text):
        (tmp_path / file["name"]).write_text(file["content"], encoding="utf-8")
    shorter = {f"GANDIAG_RUN_{m['name'].upper()}": m["value"] for m in SHORTENED.finditer(text)}
    for session in SESSION.finditer(text):
        told = ""
        for command, code in re.findall(r"^\$ ([^#\n]*)(?:# exit code (\d+))?", session["lines"], re.M):
            done = run(command.split(), tmp_path, shorter)
            assert done.returncode == int(code or 0), f"{command}: {done.stdout}{done.stderr}"
            told += done.stdout + done.stderr
        for word in filter(None, (session["says"] or "").split("; ")):
            assert word in told, f"{page.name}: {session['lines']} does not say {word!r} but {told}"


def run(words: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    if words[0] == "gandiag":
        return forked.python("-m", *words, cwd=folder, env=environment)
    assert words[0] == "torchrun"
    command = [sys.executable, "-m", "torch.distributed.run", *words[1:]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_each_worked_example_for_contributors_is_short() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    examples = re.findall(r"^## (A \w+[^\n]*)\n.*?```python\n(.*?)```", page, re.M | re.S)
    assert [title for title, _ in examples] == ["A probe", "A check", "A metric", "A section of the report"]
    for title, code in examples:
        lines = [line for line in code.splitlines() if line.strip()]
        assert len(lines) < 20, f"{title}: {len(lines)} lines"
