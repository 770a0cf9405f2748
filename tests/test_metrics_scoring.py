"""`gandiag evaluate` and what it computes: every metric by name, floors, tables, runs, models, and requests that make no sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gandiag.cli import main
from gandiag.metrics import Reference, load_features
from gandiag.metrics.scoring import METRICS, chosen_metrics, score_features
from gandiag.metrics.train_digits_cnn import digits_split
from gandiag.quantities import quantity

(TRAIN, LABELS), (HELDOUT, _) = digits_split()
DIGITS_CNN = load_features("digits-cnn")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path / "cache"))


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *map(str, arguments)])
    return int(ended.value.code or 0)


def written(path: Path, images: torch.Tensor) -> Path:
    np.save(path, images.numpy())
    return path


def test_every_metric_by_its_name_has_entries_in_the_vocabulary_and_a_floor() -> None:
    real = DIGITS_CNN.extract(TRAIN[:600]).double().numpy()
    fake = DIGITS_CNN.extract(TRAIN[600:900]).double().numpy()
    told: list[str] = []
    found = score_features(
        Reference(real, LABELS[:600].numpy()),
        fake,
        DIGITS_CNN,
        chosen_metrics(["all"]),
        heldout=DIGITS_CNN.extract(HELDOUT).double().numpy(),
        say=told.append,
    )
    assert told == list(METRICS)
    for name in found.scores:
        assert quantity(name) is not None, name
    bases = {name.split("[")[0] for name in found.scores}
    assert {
        "frechet_distance",
        "frechet_distance_infinity",
        "kernel_distance",
        "precision",
        "density",
        "prd_f8",
        "inception_score",
        "vendi_score",
        "bin_share_different",
        "sliced_wasserstein",
        "gaussian_kernel_distance",
        "authenticity",
        "copying_z",
        "class_recall",
    } <= bases
    for name, floor in found.floors.items():
        score = found.scores[name]
        assert isinstance(score, float)
        if quantity(name).better == "higher" and floor > 0:  # type: ignore[union-attr]
            assert score == pytest.approx(floor, rel=0.3), name
    assert -3.5 < found.scores["copying_z[digits-cnn]"] < 3.5  # type: ignore[operator]
    low, value, high = (found.scores[f"kernel_distance{end}[digits-cnn]"] for end in ("_low", "", "_high"))
    assert low < value < high  # type: ignore[operator]


def test_unknown_metrics_are_named() -> None:
    with pytest.raises(Exception, match="did you mean 'kid'"):
        chosen_metrics(["kids"])


def test_several_fakes_give_a_table_with_intervals_and_floor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, half = (
        written(tmp_path / "good.npy", TRAIN[700:1000]),
        written(tmp_path / "half.npy", TRAIN[LABELS < 5][:350]),
    )
    assert call("--real", "digits", "--fake", good, "--fake", half, "--metrics", "fd,pr") == 0
    out = capsys.readouterr().out
    header = out.splitlines()[0]
    assert all(word in header for word in ("good.npy", "half.npy", "real vs real"))
    row = next(line for line in out.splitlines() if line.startswith("frechet_distance[digits-cnn]"))
    assert row.count("[") == 3
    assert "thinned to 300" in out
    assert "class recall of half.npy" in out


def test_json_is_one_document_on_stdout_and_the_same_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = written(tmp_path / "fake.npy", TRAIN[:300])
    documents = []
    for extra in ([], [], ["--no-cache"]):
        assert call("--real", "digits", "--fake", fake, "--json", "--count", 250, *extra) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0] == documents[1] == documents[2]
    entry = documents[0]["evaluations"][0]
    assert entry["protocol"]["fake_count"] == 250
    assert entry["protocol"]["features"] == "digits-cnn"
    assert entry["floors"]["frechet_distance[digits-cnn]"] > 0
    assert list((tmp_path / "cache" / "features").iterdir())


def test_labelled_images_that_are_no_digits_get_a_classifier(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import gandiag.metrics.classifier as classifier

    monkeypatch.setattr(classifier, "STEPS", 20)
    monkeypatch.setattr(
        classifier.classifier_features, "__kwdefaults__", {**classifier.classifier_features.__kwdefaults__, "steps": 20}
    )
    np.savez(tmp_path / "real.npz", images=TRAIN[:200].numpy(), labels=(LABELS[:200] % 2).numpy())
    assert (
        call(
            "--real",
            tmp_path / "real.npz",
            "--fake",
            written(tmp_path / "f.npy", TRAIN[200:300]),
            "--metrics",
            "fd",
            "--json",
        )
        == 0
    )
    entry = json.loads(capsys.readouterr().out)["evaluations"][0]
    assert "frechet_distance[classifier]" in entry["scores"]
    assert 0 <= entry["protocol"]["heldout_accuracy"] <= 1
    assert len(entry["scores"]["class_recall"]) == 2


def test_files_of_mu_and_sigma(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "a.npz", mu=np.zeros(5), sigma=np.eye(5))
    np.savez(tmp_path / "b.npz", mu=np.ones(5), sigma=4 * np.eye(5))
    assert call("--real", tmp_path / "a.npz", "--fake", tmp_path / "b.npz", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["evaluations"][0]["scores"] == {"frechet_distance[given]": pytest.approx(10.0)}
    assert "left out" in document["notes"][0]
    assert call("--real", tmp_path / "a.npz", "--fake", "digits") == 2
    assert call("--real", tmp_path / "a.npz", "--fake", "digits", "--features", "pixels", "--metrics", "fd") == 3
    np.savez(tmp_path / "c.npz", mu=np.zeros(5), sigma=np.full((5, 5), np.nan))
    assert call("--real", tmp_path / "c.npz", "--fake", tmp_path / "b.npz") == 3
    assert "NaN" in capsys.readouterr().err


def test_a_bare_onnx_generator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from onnx import TensorProto, helper, save

    nodes = [helper.make_node("Tanh", ["z"], ["t"]), helper.make_node("Reshape", ["t", "shape"], ["image"])]
    shape = helper.make_tensor("shape", TensorProto.INT64, [4], [-1, 1, 8, 8])
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [shape],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), tmp_path / "g.onnx")
    assert call("--real", "digits", "--fake", tmp_path / "g.onnx", "--count", 200, "--metrics", "fd", "--json") == 0
    scores = json.loads(capsys.readouterr().out)["evaluations"][0]["scores"]
    assert scores["frechet_distance[digits-cnn]"] > 50
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    assert call("--real", "digits", "--fake", tmp_path / "bad.onnx") == 3


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--real", "nowhere", "--fake", "digits"], 2, "does not exist"),
        (["--real", "digits", "--fake", "digits", "--metrics", "fdd"], 2, "did you mean 'fd'"),
        (["--real", "digits", "--fake", "digits", "--features", "digit-cnn"], 2, "did you mean 'digits-cnn'"),
        (["--real", "digits", "--fake", "digits", "--features", "pixels", "--weights", "x"], 2, "no weights to load"),
        (["--real", "digits"], 2, "--fake"),
    ],
)
def test_requests_that_make_no_sense(
    arguments: list[str], code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == code
    error = capsys.readouterr().err
    assert word in error
    assert "Traceback" not in error


def test_images_of_other_shapes_and_too_few_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = written(tmp_path / "wide.npy", TRAIN[:50].repeat_interleave(2, 3))
    assert call("--real", "digits", "--fake", wide, "--features", "pixels") == 2
    assert "--size" in capsys.readouterr().err
    assert call("--real", "digits", "--fake", wide, "--features", "pixels", "--size", 8, "--metrics", "fd") == 0
    one = written(tmp_path / "one.npy", TRAIN[:1])
    assert call("--real", "digits", "--fake", one, "--metrics", "fd") == 3
    three = written(tmp_path / "three.npy", TRAIN[:3])
    assert call("--real", "digits", "--fake", three, "--metrics", "pr") == 3
    assert "too few" in capsys.readouterr().err


def test_constant_images_have_a_distance_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat: Any = written(tmp_path / "flat.npy", torch.full((40, 1, 8, 8), 7, dtype=torch.uint8))
    assert (
        call("--real", "digits", "--fake", flat, "--features", "pixels", "--metrics", "fd,pr,dc,vendi,kid", "--json")
        == 0
    )
    scores = json.loads(capsys.readouterr().out)["evaluations"][0]["scores"]
    assert scores["vendi_score[pixels]"] == pytest.approx(1)
    assert scores["recall[pixels]"] == 0


def test_all_metrics_of_unlabelled_images_leave_out_what_needs_a_classifier(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real, fake = written(tmp_path / "real.npy", TRAIN[:60]), written(tmp_path / "fake.npy", TRAIN[60:120])
    assert call("--real", real, "--fake", fake, "--metrics", "all", "--features", "pixels") == 0
    assert "the Inception Score is left out: pixels is no classifier" in capsys.readouterr().out
    assert call("--real", real, "--fake", fake, "--metrics", "is", "--features", "pixels") == 2


def test_no_metric_at_all_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--real", "digits", "--fake", "digits", "--metrics", "") == 2
    assert "no metric is named" in capsys.readouterr().err


def test_a_file_that_is_no_image_is_refused_without_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_text("x")
    assert call("--real", tmp_path, "--fake", "digits") == 3
    said = capsys.readouterr().err
    assert "a.png is no image that can be read (its content is of no known format)" in said
