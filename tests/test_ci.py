"""What CI asks the vulnerability service: silence is said to be silence, and a hole that can be mended fails."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).resolve().parent.parent / ".ci" / "audit"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    if not FILE.exists():
        pytest.skip("this is no checkout: CI's own files are not here")
    loader = importlib.machinery.SourceFileLoader("audit", str(FILE))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("audit", loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    return module


def package(*holes: dict[str, object]) -> dict[str, object]:
    return {"name": "x", "version": "1.0", "vulns": list(holes)}


UNKNOWN = {"name": "y", "skip_reason": "Dependency not found on PyPI and could not be audited: y (1)"}


@pytest.mark.parametrize(
    ("packages", "code", "says"),
    [
        ([UNKNOWN, UNKNOWN], 0, "NOT MADE, the service knows none of the 2 packages"),
        ([package(), UNKNOWN], 0, "1 packages asked about, 1 unknown to the service, 0 known holes"),
        ([package({"id": "PYSEC-1", "fix_versions": []})], 0, "PYSEC-1, mended in no version yet"),
        ([package({"id": "PYSEC-1", "fix_versions": ["1.1"]})], 1, "x 1.0: PYSEC-1, mended in 1.1"),
    ],
)
def test_what_is_known_is_judged(
    audit: ModuleType, packages: list[dict], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.judge(packages) == code
    assert says in capsys.readouterr().out
