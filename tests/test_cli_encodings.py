"""Names of any bytes, and streams of any encoding: said, judged and written all the same."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import gandiag
from gandiag.cli import main
from tests import made_runs

ODD = os.fsdecode(b"r\xff\xfe")  # no UTF-8


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a healthy run whose name is no UTF-8."""
    folder = tmp_path_factory.mktemp("odd")
    try:
        made_runs.MADE["healthy"](folder / ODD, steps=400)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    return folder


def said(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: str) -> tuple[int, bytes]:
    """What the console script writes to a stdout of that encoding, such as a pipe on Windows is."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, errors="strict", write_through=True)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
    return int(ended.value.code or 0), written.getvalue()


def test_a_run_whose_path_is_no_utf8_is_read_whole(odd: Path, tmp_path: Path) -> None:
    shutil.copytree(odd / ODD, tmp_path / "plain")
    run, same = gandiag.load_run(odd / ODD), gandiag.load_run(tmp_path / "plain")
    assert run.unreadable == ()
    assert run.names == same.names
    assert gandiag.diagnose(run).story == gandiag.diagnose(same).story


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
@pytest.mark.parametrize("verb", ["check", "list", "list --json", "show", "report"])
def test_every_stream_takes_what_is_said(odd: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, verb: str) -> None:
    name, *options = verb.split()
    code, out = said(monkeypatch, encoding, name, str(odd if name == "list" else odd / ODD), *options)
    assert code == 0
    assert out


def test_files_for_a_server_hold_an_odd_name(odd: Path, tmp_path: Path) -> None:
    files = ["--junit", str(tmp_path / "checks.xml"), "--markdown", str(tmp_path / "checks.md")]
    with pytest.raises(SystemExit) as ended:
        main(["check", str(odd / ODD), *files])
    assert not ended.value.code
    assert str(ET.parse(tmp_path / "checks.xml").getroot()[0].get("name")).endswith("r??")
    assert "r??" in (tmp_path / "checks.md").read_text(encoding="utf-8")


def test_a_name_with_escape_codes_and_line_ends_stays_in_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_runs.MADE["healthy"](tmp_path / "a\nb\x1b[31mred", steps=400)
    for arguments in (["list", str(tmp_path)], ["check", str(tmp_path / "a\nb\x1b[31mred")]):
        with pytest.raises(SystemExit):
            main(arguments)
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert any("a b?[31mred" in line for line in shown.splitlines())
    with pytest.raises(SystemExit):
        main(["list", str(tmp_path), "--json"])
    assert json.loads(capsys.readouterr().out)[0]["path"].endswith("a\nb\x1b[31mred")
