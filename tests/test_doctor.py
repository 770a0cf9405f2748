"""`gandiag doctor`: its rows on this machine, its exit code, and what it says when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gandiag.cli import doctor_checks
from gandiag.cli.doctor_checks import CHECKS, Row, examine
from tests import forked


def test_this_machine_passes_and_json_is_one_document(tmp_path: Path) -> None:
    done = forked.python("-m", "gandiag", "doctor", "--json", cwd=tmp_path)
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


def test_the_shipped_weights_are_those_that_the_doctor_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor_checks.shipped_weights().ok
    monkeypatch.setattr(doctor_checks, "DIGITS_CNN_SHA256", "0" * 64)
    row = doctor_checks.shipped_weights()
    assert not row.ok
    assert "expected 0000" in row.found


def test_damaged_published_weights_are_found_and_right_ones_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    from gandiag.metrics import published

    good = published.Published("good.pth", "https://nowhere.example/good.pth", hashlib.sha256(b"good").hexdigest())
    bad = published.Published("bad.pth", "https://nowhere.example/bad.pth", hashlib.sha256(b"whole").hexdigest())
    monkeypatch.setattr(published, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(doctor_checks, "published_files", lambda: {"good": (good,), "bad": (bad,)})
    assert doctor_checks.published_weights().ok
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "good.pth").write_bytes(b"good")
    row = doctor_checks.published_weights()
    assert row.ok
    assert "good is here, its checksum right; bad is not here" in row.found
    (tmp_path / "weights" / "bad.pth").write_bytes(b"torn")
    row = doctor_checks.published_weights()
    assert not row.ok
    assert "is damaged" in row.found


def test_a_provider_that_is_listed_and_falls_back_is_not_said_to_load(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *a, providers, **k: real(*a, providers=["CPUExecutionProvider"], **k)
    )
    row = doctor_checks.onnx_runtime_providers()
    assert row.found == "CPUExecutionProvider load; listed but not loading: CUDAExecutionProvider"


def test_features_that_depend_on_the_batch_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from gandiag.metrics import features

    true = features.load_features("digits-cnn")
    assert doctor_checks.features_do_not_depend_on_the_batch().ok
    scaled = replace(true, extract=lambda images: true.extract(images) * (1 + 1e-3 * (len(images) == 7)))
    monkeypatch.setattr(features, "load_features", lambda name: scaled)
    assert not doctor_checks.features_do_not_depend_on_the_batch().ok


def test_products_of_reduced_precision_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    import torch

    from gandiag.metrics import features

    true = features.load_features("digits-cnn")

    def extract(images: torch.Tensor) -> torch.Tensor:
        """As a machine with TF32 would: ten bits of mantissa where less than the highest precision is allowed."""
        exact = true.extract(images)
        return exact if torch.get_float32_matmul_precision() == "highest" else exact.to(torch.bfloat16).float()

    monkeypatch.setattr(features, "load_features", lambda name: replace(true, extract=extract))
    before = torch.get_float32_matmul_precision()
    assert doctor_checks.reduced_precision().ok
    torch.set_float32_matmul_precision("high")
    try:
        assert not doctor_checks.reduced_precision().ok
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)
