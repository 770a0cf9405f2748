"""`gandiag evaluate` from end to end: a run, its bundle and its ONNX file in one table; two processes and one; an interrupt."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandiag.cli import main
from gandiag.metrics.train_digits_cnn import digits_split
from gandiag.training import Config, train
from tests import forked
from tests.made_bundles import exported_once

(TRAIN, LABELS), _ = digits_split()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps on digits, conditional, so that labels are asked for too."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    settings = {"steps": 4, "batch": 32, "generator_width": 16, "discriminator_width": 16, "evaluation_samples": 50}
    train(Config(data="digits", conditional=True, measure=(), **settings), out=path)  # type: ignore[arg-type]
    return path


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_a_run_its_bundle_and_a_file_stand_in_one_table(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = exported_once().path
    fakes = [part for fake in (run, bundle, bundle / "model.onnx") for part in ("--fake", fake)]
    arguments = ("--real", "digits", *fakes, "--count", 150, "--metrics", "fd,kid,pr", "--json")
    assert call(*arguments) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert [Path(e["fake"]).name for e in document["evaluations"]] == ["tiny", "bundle", "model.onnx"]
    for entry in document["evaluations"]:
        scores, name = entry["scores"], "[digits-cnn]"
        assert scores[f"frechet_distance_low{name}"] <= scores[f"frechet_distance_high{name}"]
        assert scores[f"precision_low{name}"] <= scores[f"precision{name}"] <= scores[f"precision_high{name}"]
        assert entry["floors"][f"frechet_distance{name}"] < scores[f"frechet_distance{name}"]
        assert (entry["protocol"]["fake_count"], len(entry["protocol"]["weights"])) == (150, 64)
        assert "uint8" in entry["protocol"]["quantiser"]
    assert "digits-cnn features of 150 images" in captured.err  # progress
    by_bundle, by_file = (document["evaluations"][i]["scores"]["frechet_distance[digits-cnn]"] for i in (1, 2))
    assert by_bundle == pytest.approx(by_file, rel=0.2)  # the same generator, other latents
    assert call(*arguments[:-1]) == 0
    header = capsys.readouterr().out.splitlines()[0].split("  ")
    cells = {cell.strip() for cell in header}
    assert {"tiny", "bundle", "model.onnx"} <= cells
    assert any(re.fullmatch(r"real vs real \(\d+ a side\)", cell) for cell in cells)  # the floor says its own count


def test_a_step_of_a_run_can_be_named_and_one_that_is_not_there_is_said(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--real", "digits", "--fake", run, "--count", 60, "--metrics", "fd", "--json")
    values = []
    for checkpoint in ("last", "4"):
        assert call(*common, "--checkpoint", checkpoint) == 0
        values.append(json.loads(capsys.readouterr().out)["evaluations"][0]["scores"])
    assert values[0] == values[1]
    assert call(*common, "--checkpoint", "999") in (2, 3)
    assert "999" in capsys.readouterr().err


def test_two_processes_score_as_one(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "fake.npy", TRAIN[:101].numpy())  # an odd number: the shares differ
    arguments = ["--real", "digits", "--fake", str(tmp_path / "fake.npy"), "--fake", str(run)]
    arguments += ["--count", "300", "--metrics", "fd,kid,pr", "--json"]
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path / "one"))
    assert call(*arguments) == 0
    alone = [e["scores"] for e in json.loads(capsys.readouterr().out)["evaluations"]]
    for _ in range(2):  # the second time the features are kept
        cache = {"GANDIAG_CACHE": str(tmp_path / "two")}
        first, second = forked.ranks("-m", "gandiag", "evaluate", *arguments, cwd=tmp_path, env=cache, count=2)
        assert (first.returncode, second.returncode) == (0, 0), first.stderr[-2000:] + second.stderr[-2000:]
        assert second.stdout == ""  # one of them speaks
        together = [e["scores"] for e in json.loads(first.stdout)["evaluations"]]
        for one, two in zip(alone, together):
            assert one.keys() == two.keys()
            for name, value in one.items():
                assert two[name] == pytest.approx(value, rel=1e-5, abs=1e-7), name


def test_an_interrupted_evaluation_repeats_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import gandiag.cli.evaluate_inputs as module

    np.save(tmp_path / "fake.npy", TRAIN[:400].numpy())
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path / "cache"))
    arguments = ("--real", "digits", "--fake", tmp_path / "fake.npy", "--metrics", "fd,kid", "--json")
    kept = module.keep_features
    monkeypatch.setattr(module, "keep_features", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert call(*arguments) == 130
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(module, "keep_features", kept)
    documents = []
    for _ in range(2):
        assert call(*arguments) == 0
        documents.append(capsys.readouterr().out)
    assert documents[0] == documents[1]


def only_one(folder: Path) -> Path:
    for file in sorted(folder.iterdir())[1:]:
        file.unlink()
    return folder


def none_at_all(folder: Path) -> Path:
    for file in folder.iterdir():
        file.unlink()
    return folder


def grey_and_opaque(folder: Path) -> Path:
    Image.open(folder / "0.png").convert("L").save(folder / "0.png")
    Image.open(folder / "1.png").convert("RGBA").save(folder / "1.png")
    return folder


def sixteen_bits(folder: Path) -> Path:
    Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)).save(folder / "0.png")
    return folder


def cut_off(folder: Path) -> Path:
    whole = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(whole[: len(whole) // 2])
    return folder


def of_two_sizes(folder: Path) -> Path:
    Image.open(folder / "0.png").resize((9, 9)).save(folder / "0.png")
    return folder


def pickled(folder: Path) -> Path:
    np.savez(folder / "pickled.npz", images=np.array([{"a": 1}], dtype=object))
    return folder / "pickled.npz"


@pytest.mark.parametrize(
    ("spoil", "code", "word"),
    [
        (only_one, 3, "at least"),
        (none_at_all, 2, "no image"),
        (grey_and_opaque, 0, ""),
        (sixteen_bits, 3, "16"),
        (cut_off, 3, "3.png"),
        (of_two_sizes, 3, "one size"),
        (pickled, 3, "pickled.npz"),
    ],
)
def test_bad_input_is_a_clear_error_or_has_a_stated_meaning(
    spoil: Callable[[Path], Path], code: int, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    for i in range(8):
        Image.fromarray(random.integers(256, size=(8, 8, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    found = call("--real", "digits", "--fake", spoil(tmp_path), "--metrics", "fd")
    error = capsys.readouterr().err
    assert found == code, error
    assert word in error
    assert "Traceback" not in error


def test_features_that_are_not_finite_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sick_features.py").write_text("def f(images):\n    return images.float().flatten(1) / 0 * 0\n")
    sys.path.insert(0, str(tmp_path))
    try:
        assert call("--real", "digits", "--fake", "digits", "--features", "sick_features:f", "--count", 30) == 3
    finally:
        sys.path.remove(str(tmp_path))
    assert "NaN" in capsys.readouterr().err


def test_fewer_samples_than_neighbours_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "few.npy", TRAIN[:5].numpy())
    assert call("--real", "digits", "--fake", tmp_path / "few.npy", "--metrics", "dc", "--features", "pixels") == 3
    assert "k = 5" in capsys.readouterr().err
