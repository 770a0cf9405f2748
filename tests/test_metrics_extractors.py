"""Extractors of the user's own, the classifier trained on the spot, kept features, the streaming distance, protocols compared."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics import evaluate_images, frechet_distance, load_features
from gandiag.metrics.cache import cached_features, content_hash, keep_features
from gandiag.metrics.classifier import classifier_features
from gandiag.metrics.protocol import UnlikeScores, compare_scores, differing_fields, require_alike
from gandiag.metrics.streaming import FrechetDistance
from gandiag.metrics.train_digits_cnn import digits_split

(TRAIN, LABELS), (HELDOUT, HELDOUT_LABELS) = digits_split()


class Means(nn.Module):
    """Row means of an image."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.float().mean(dim=3).flatten(1)


def test_a_torchscript_file(tmp_path: Path) -> None:
    torch.jit.script(Means()).save(str(tmp_path / "means.pt"))
    features = load_features(f"torchscript:{tmp_path / 'means.pt'}")
    assert features.name == "torchscript-means"
    torch.testing.assert_close(features.extract(TRAIN[:5]), Means()(TRAIN[:5]))
    assert len(features.fingerprint["weights"]) == 64
    (tmp_path / "other.pt").write_bytes(b"no module")
    with pytest.raises(GandiagError, match="no TorchScript module"):
        load_features(f"torchscript:{tmp_path / 'other.pt'}")
    with pytest.raises(UsageError, match="is no file"):
        load_features("torchscript:nowhere.pt")


@pytest.mark.parametrize("dtype", ["FLOAT", "UINT8"])
def test_an_onnx_file(tmp_path: Path, dtype: str) -> None:
    from onnx import TensorProto, helper, save

    kind = getattr(TensorProto, dtype)
    nodes = [helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT), helper.make_node("Flatten", ["f"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "flat",
        [helper.make_tensor_value_info("x", kind, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 64])],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), tmp_path / "flat.onnx")
    features = load_features(f"onnx:{tmp_path / 'flat.onnx'}")
    expected = TRAIN[:5].float().flatten(1) / (255 if dtype == "FLOAT" else 1)
    torch.testing.assert_close(features.extract(TRAIN[:5]), expected)
    (tmp_path / "bad.onnx").write_bytes(b"x")
    with pytest.raises(GandiagError, match="cannot be run"):
        load_features(f"onnx:{tmp_path / 'bad.onnx'}")


def test_a_function_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_features.py").write_text(
        "def brightness(images):\n    return images.float().mean((1, 2, 3))[:, None]\ndef wrong(images):\n    return images\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_features("my_features:brightness").extract(TRAIN[:4]).shape == (4, 1)
    with pytest.raises(GandiagError, match=r"\(4, d\) was expected"):
        load_features("my_features:wrong").extract(TRAIN[:4])
    with pytest.raises(UsageError, match="no function"):
        load_features("my_features:nothing")
    with pytest.raises(UsageError, match="cannot be imported"):
        load_features("no_such_module:f")
    sys.modules.pop("my_features")


def test_a_classifier_learns_the_datas_own_classes_and_is_cached(tmp_path: Path) -> None:
    known = TRAIN[:600]
    features = classifier_features(
        known, LABELS[:600], steps=40, folder=tmp_path, names=[f"digit {i}" for i in range(10)]
    )
    assert features.fingerprint["heldout_accuracy"] > 0.8
    assert features.classes[3] == "digit 3"
    kept = list((tmp_path / "classifiers").iterdir())
    again = classifier_features(known, LABELS[:600], steps=40, folder=tmp_path)
    assert again.fingerprint == features.fingerprint
    torch.testing.assert_close(again.extract(known[:9]), features.extract(known[:9]))
    assert list((tmp_path / "classifiers").iterdir()) == kept
    kept[0].write_bytes(b"damaged")
    assert classifier_features(known, LABELS[:600], steps=40, folder=tmp_path).fingerprint == features.fingerprint
    changed = known.clone()
    changed[0, 0, 0, 0] ^= 1
    assert (
        classifier_features(changed, LABELS[:600], steps=1, folder=tmp_path).fingerprint["data"]
        != features.fingerprint["data"]
    )


def test_training_a_classifier_leaves_torchs_random_state_alone(tmp_path: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    classifier_features(TRAIN[:50], LABELS[:50], steps=2, folder=tmp_path)
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(ValueError, match="at least two classes"):
        classifier_features(TRAIN[:5], [1] * 5, folder=tmp_path)


def test_a_classifier_shows_dropped_minorities(tmp_path: Path) -> None:
    order = torch.argsort(LABELS, stable=True)
    keep = torch.cat([order[LABELS[order] == c][: (130 if c < 8 else 25)] for c in range(10)])
    images, labels = TRAIN[keep], LABELS[keep]
    features = classifier_features(images, labels, steps=60, folder=tmp_path)
    whole = evaluate_images(images, images.flip(0), features, real_labels=labels)
    dropped = evaluate_images(images, images[labels < 8], features, real_labels=labels)
    assert whole.scores["modes_covered"] == 10
    assert dropped.scores["modes_covered"] == 8
    assert min(whole.scores["class_recall"]) > 0.9  # type: ignore[type-var, arg-type]  # a list
    assert max(dropped.scores["class_recall"][8:]) < 0.4  # type: ignore[index]


def test_features_are_kept_by_what_the_images_hold(tmp_path: Path) -> None:
    one, two = TRAIN[:10], TRAIN[:10].clone()
    assert content_hash([one]) == content_hash([one[:3], one[3:]])
    two[4, 0, 2, 2] ^= 1
    assert content_hash([one]) != content_hash([two])
    assert content_hash([one]) != content_hash([one.flip(0)])
    fingerprint = load_features("pixels").fingerprint
    assert cached_features(content_hash([one]), fingerprint, folder=tmp_path) is None
    keep_features(content_hash([one]), fingerprint, torch.ones(10, 3), folder=tmp_path)
    found = cached_features(content_hash([one]), fingerprint, folder=tmp_path)
    assert found is not None
    assert found.shape == (10, 3)
    assert cached_features(content_hash([two]), fingerprint, folder=tmp_path) is None
    assert cached_features(content_hash([one]), {**fingerprint, "weights": "x"}, folder=tmp_path) is None
    next((tmp_path / "features").iterdir()).write_bytes(b"\x93NUMPY cut off")
    assert cached_features(content_hash([one]), fingerprint, folder=tmp_path) is None
    keep_features("x", {}, torch.ones(1, 1), folder=Path("/dev/null/nowhere"))


def test_streaming_equals_all_at_once_and_reset_keeps_the_reals() -> None:
    metric, features = FrechetDistance("digits-cnn"), load_features("digits-cnn")
    for part in TRAIN.split(37):
        metric.update(part, real=True)
    for part in HELDOUT.split(50):
        metric.update(part, real=False)
    expected = frechet_distance(features.extract(TRAIN), features.extract(HELDOUT))
    assert metric.compute() == pytest.approx(expected, rel=1e-5)
    first = metric.compute()
    metric.reset(real=False)
    with pytest.raises(ValueError, match="no fake samples yet"):
        metric.compute()
    for part in HELDOUT.split(50):
        metric.update(part, real=False)
    assert metric.compute() == first


def test_streaming_keeps_no_more_rows_than_its_buffer() -> None:
    metric, random = FrechetDistance("pixels"), torch.Generator().manual_seed(0)
    sizes, everything = [], []
    for _ in range(60):
        rows = torch.randn(300, 5, generator=random) + 100
        everything.append(rows)
        metric.update_features(rows, real=True)
        side = metric._sides[True]
        sizes.append(
            sum(len(r) for r in side._rows)
            + (len(side._merged.rows) if side._merged and side._merged.rows is not None else 0)
        )
    assert max(sizes) < 4096 + 300
    statistics = metric.statistics(real=True)
    assert statistics.count == 18_000
    np.testing.assert_allclose(statistics.covariance, np.cov(torch.cat(everything).double().numpy().T), rtol=1e-10)


CASES = ((60, 4), (10, 24))  # more samples than features, and fewer


def _one_process(rank: int, folder: str) -> None:
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    found = []
    for count, width in CASES:
        metric = FrechetDistance("pixels")
        real, fake = _samples(count, width)
        metric.update_features(real[rank::2], real=True)
        if rank == 0:  # the other has no fakes at all
            metric.update_features(fake, real=False)
        found.append(metric.compute())
    Path(folder, f"{rank}.txt").write_text(repr(found))
    dist.barrier()
    dist.destroy_process_group()


def _samples(count: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return torch.randn(count, width, generator=random).double(), torch.randn(
        count, width, generator=random
    ).double() * 1.2 + 0.1


def test_two_processes_have_the_distance_of_one(tmp_path: Path) -> None:
    mp.spawn(_one_process, args=(str(tmp_path),), nprocs=2, join=True)
    found = [ast.literal_eval((tmp_path / f"{rank}.txt").read_text()) for rank in range(2)]
    assert found[0] == pytest.approx([frechet_distance(*_samples(*case)) for case in CASES], rel=1e-8)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_like_scores_are_compared_and_unlike_ones_refused_by_name() -> None:
    digits, pixels = load_features("digits-cnn"), load_features("pixels")
    one, other = (
        evaluate_images(TRAIN[:200], HELDOUT[:100], digits, seed=0),
        evaluate_images(TRAIN[:200], HELDOUT[100:200], digits, seed=1),
    )
    name = "frechet_distance[digits-cnn]"
    assert compare_scores(name, one, other) == pytest.approx(other.scores[name] - one.scores[name])  # type: ignore[operator]
    fewer = evaluate_images(TRAIN[:200], HELDOUT[:90], digits)
    with pytest.raises(UnlikeScores, match="fake_count: 100 and 90") as caught:
        compare_scores(name, one, fewer)
    assert caught.value.fields == ("fake_count",)
    fields = differing_fields(one.protocol, evaluate_images(TRAIN[:200], HELDOUT[:100], pixels).protocol)
    assert {"features", "weights", "resize"} <= set(fields)
    require_alike(one.protocol, fewer.protocol, ignore=("fake_count",))
