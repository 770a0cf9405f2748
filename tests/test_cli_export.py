"""Tests of `gandiag export` and `gandiag verify`: a run, a stranger's net, the messages and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gandiag.cli import main
from gandiag.cli.export import parse_latent
from gandiag.errors import UsageError
from gandiag.export import open_bundle
from gandiag.training import Config, load_generator, train


def call(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(args)
    said = capsys.readouterr()
    assert isinstance(end.value.code, int)
    return end.value.code, said.out, said.err


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli-export") / "00001-mlp-digits"
    train(
        Config(steps=3, batch=16, generator_width=16, discriminator_width=16, latent_size=8, evaluation_samples=100),
        out=path,
    )
    return path


@pytest.fixture(scope="module")
def bundle(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli-bundle") / "bundle"
    with pytest.raises(SystemExit) as end:
        main(["export", str(run), "-o", str(out), "--no-measure"])
    assert end.value.code == 0
    return out


def test_the_bundle_of_a_run_is_its_ema_generator(run: Path, bundle: Path) -> None:
    opened = open_bundle(bundle)
    trained = load_generator(run)
    z = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)
    with torch.no_grad():
        expected = trained.module(torch.from_numpy(z)).numpy()
    assert np.abs(opened.session("cpu")(z) - expected).max() < 1e-6
    provenance = opened.manifest["provenance"]
    assert (provenance["run"], provenance["step"], provenance["ema"]) == ("00001-mlp-digits", 3, True)
    assert opened.manifest["verdict"] in ("stable", "suspect", "unstable", "inconclusive")
    assert provenance["data"]["hash"]
    assert str(run.parent) not in (bundle / "manifest.json").read_text()
    assert str(run.parent).encode() not in opened.model.read_bytes()


def test_export_prints_each_certificate_and_what_comes_next(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(
        capsys,
        "export",
        str(run),
        "-o",
        str(tmp_path / "b"),
        "--raw",
        "--checkpoint",
        "last",
        "--uint8",
        "--no-measure",
    )
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[:4]] == ["structure", "parity", "quality", "determinism"]
    assert "on cpu" in out
    assert f"gandiag verify {tmp_path / 'b'}" in out
    assert open_bundle(tmp_path / "b").sample(2).dtype == np.uint8
    assert open_bundle(tmp_path / "b").manifest["provenance"]["ema"] is False


def test_verify_proves_and_finds_a_changed_byte(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, "verify", str(bundle), "--json", "--no-measure")
    assert code == 0
    assert json.loads(out)["passed"] is True
    sheet = bundle / "samples.png"
    good = sheet.read_bytes()
    sheet.write_bytes(good[:-1] + b"x")
    code, out, err = call(capsys, "verify", str(bundle))
    sheet.write_bytes(good)
    assert code == 3
    assert "samples.png was changed" in err
    assert "Traceback" not in err


def test_a_strangers_generator_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "their_net.py").write_text(
        "from torch import nn\ndef make():\n    return nn.Sequential(nn.ConvTranspose2d(5, 1, 4), nn.Tanh())\n"
    )
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    save_file(torch.nn.Sequential(torch.nn.ConvTranspose2d(5, 1, 4), torch.nn.Tanh()).state_dict(), "w.safetensors")
    args = (
        "--generator",
        "their_net:make",
        "--weights",
        "w.safetensors",
        "--z",
        "5x1x1",
        "-o",
        "b",
        "--no-measure",
        "--json",
    )
    code, out, err = call(capsys, "export", *args)
    assert (code, err) == (0, "")
    assert json.loads(out)["inputs"][0]["shape"] == ["batch", 5, 1, 1]
    torch.save({"0.weight": torch.zeros(1)}, "w.pt")
    code, out, err = call(
        capsys, "export", "--generator", "their_net:make", "--weights", "w.pt", "--z", "5x1x1", "-o", "c"
    )
    assert (code, out) == (3, "")
    assert "is a pickle" in err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "give either a RUN, or --generator"),
        (("no-such-run",), 3, "no-such-run"),
        (("{run}", "--checkpoint", "beast"), 2, "choose best, last, or a step"),
        (("{run}", "--checkpoint", "77"), 3, "77"),
        (("{run}", "--z", "8"), 2, "a RUN knows its own"),
        (("{run}", "--opset", "3"), 2, "opset 3 cannot be written"),
        (("{run}", "--truncation", "2"), 2, "up to 1"),
        (("--generator", "a:b"), 2, "needs --z"),
        (("--generator", "a:b", "--z", "8xx1"), 2, "give a number such as 128"),
        (("--generator", "nowhere_at_all:b", "--z", "8"), 2, "no module 'nowhere_at_all'"),
    ],
)
def test_mistakes_are_told_in_one_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, message: str
) -> None:
    found, out, err = call(capsys, "export", *(arg.format(run=run) for arg in args), "-o", str(tmp_path / "b"))
    assert found == code, err
    assert message in err
    assert out == ""
    assert "Traceback" not in err
    assert not (tmp_path / "b").exists()


def test_a_latent_is_a_number_or_a_shape() -> None:
    assert parse_latent("128") == 128
    assert parse_latent("100x1x1") == (100, 1, 1)
    for text in ("", "0", "-1", "8x", "eight", "8x0x1", "²"):
        with pytest.raises(UsageError):
            parse_latent(text)


def test_verify_of_something_else_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "verify", str(tmp_path))
    assert code == 3
    assert "is no bundle" in err
