"""`gandiag doctor`: its rows on this machine, its exit code, and what it says when something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gandiag.cli import doctor_checks
from gandiag.cli.doctor_checks import CHECKS, Row, examine


def test_this_machine_passes_and_json_is_one_document() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gandiag", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    rows = json.loads(done.stdout)
    assert [r["check"] for r in rows if not r["ok"]] == []
    assert done.returncode == 0
    assert len(rows) == len(CHECKS)


def test_two_onnx_runtimes_at_once_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "_version", lambda name: "1.0")
    row = doctor_checks.onnx_runtime_packages()
    assert not row.ok
    assert "uninstall" in row.do


def test_metrics_that_swap_precision_and_recall_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    import gandiag.metrics

    monkeypatch.setattr(gandiag.metrics, "precision_recall", lambda real, fake: (0.1, 1.0))
    assert not doctor_checks.a_collapsed_set().ok


def test_a_check_that_raises_is_a_failed_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Row:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(doctor_checks, "CHECKS", (broken,))
    (row,) = examine()
    assert not row.ok
    assert "no such thing" in row.found
