"""Tests of docs/deployment.md: its options are those of the command, its client is short. test_docs.py runs its code."""

from __future__ import annotations

import re
from pathlib import Path

from gandiag.cli.export import command

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "deployment.md").read_text(encoding="utf-8")


def test_every_option_that_the_page_names_exists() -> None:
    named = set(re.findall(r"(--[a-z][a-z0-9-]+)", PAGE)) - {
        "--model-repository",
        "--mlserver-python",
        "--every-generator",
        "--threads",
    }
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert named <= known


def test_the_client_fits_a_screen() -> None:
    client = PAGE[PAGE.index("def fetch(") : PAGE.index("server = ThreadingHTTPServer")]
    assert len(client.strip().splitlines()) <= 40
