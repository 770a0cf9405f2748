"""The Inception port against torch-fidelity's network with the same random weights, its pixel paths, and where weights come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from metrics_peers import import_peer, import_torchvision
from torch import Tensor

from gandiag.errors import GandiagError, UsageError
from gandiag.metrics import inception_features as features_module
from gandiag.metrics import load_features, published
from gandiag.metrics.inception import LAYERS, fold, make_plan, random_state
from gandiag.metrics.inception_onnx import onnx_session, run_session
from gandiag.metrics.pixel_paths import (
    PIXEL_PATHS,
    clean_path,
    pytorch_path,
    tensorflow_path,
    three_channels,
    torchmetrics_path,
)

STATE = random_state()
NETWORK = fold(STATE)


def noise(n: int, side: int, channels: int = 3) -> Tensor:
    return torch.randint(
        256, (n, channels, side, side), generator=torch.Generator().manual_seed(side), dtype=torch.uint8
    )


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def unfolded(x: Tensor, name: str, layer: object) -> Tensor:
    """One convolution as it is published: batch norm apart."""
    y = F.conv2d(x, STATE[f"{name}.conv.weight"], stride=layer.stride, padding=layer.padding)  # type: ignore[attr-defined]
    parts = [STATE[f"{name}.bn.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
    return F.relu(F.batch_norm(y, parts[0], parts[1], parts[2], parts[3], eps=1e-3))


def test_every_layer_equals_torch_fidelitys_network(tmp_path: Path) -> None:
    peer = import_peer("torch_fidelity.feature_extractor_inceptionv3")
    torch.save(STATE, tmp_path / "weights.pth")
    names = ("64", "192", "768", "2048", "logits_unbiased", "logits")
    network = peer.FeatureExtractorInceptionV3(
        "any", list(names), feature_extractor_weights_path=str(tmp_path / "weights.pth")
    )
    images = noise(2, 40)
    theirs = dict(zip(names, network(images)))
    ours = NETWORK.run(tensorflow_path(images), ("64", "192", "768", "2048"))
    for name in ("64", "192", "768", "2048"):
        assert relative(ours[name], theirs[name]) < 1e-6, name
    assert relative(NETWORK.logits(ours["2048"]), theirs["logits_unbiased"]) < 1e-6
    assert relative(NETWORK.logits(ours["2048"], unbiased=False), theirs["logits"]) < 1e-6


def test_every_layer_equals_pytorch_fids_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import_torchvision()
    peer = import_peer("pytorch_fid.inception")
    if not issubclass(peer.FIDInceptionA, torch.nn.Module):
        pytest.skip("pytorch-fid was imported on a stand-in for torchvision before: run this file alone")
    monkeypatch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: STATE)
    images = noise(2, 48)
    with torch.no_grad():
        theirs = peer.InceptionV3([0, 1, 2, 3]).eval()(images.float() / 255)
    ours = NETWORK.run(pytorch_path(images), ("64", "192", "768", "2048"))
    for expected, (name, found) in zip(theirs, ours.items()):
        assert relative(found, expected.mean((2, 3))) < 1e-6, name


def test_folding_the_first_block_changes_nothing_and_onnx_runtime_agrees_in_every_layer() -> None:
    x = tensorflow_path(noise(2, 64))
    plan = make_plan()
    by_hand = x
    for layer in plan.layers[:3]:
        by_hand = unfolded(by_hand, layer.name, layer)
    by_hand = F.max_pool2d(by_hand, 3, 2)
    ours = NETWORK.run(x, LAYERS)
    assert relative(ours["64"], by_hand.mean((2, 3))) < 1e-6
    theirs = run_session(onnx_session(NETWORK, LAYERS), x, LAYERS)
    for name in LAYERS:
        assert relative(ours[name], theirs[name]) < 2e-6, name
    assert [ours[n].shape[1] for n in LAYERS] == [64, 192, 768, 2023, 2048]


def test_the_tensorflow_path_has_no_half_pixel_shift_and_repeats_the_edge() -> None:
    image = torch.tensor([[0, 100], [200, 240]], dtype=torch.uint8).view(1, 1, 2, 2).expand(-1, 3, -1, -1)
    found = tensorflow_path(image)[0, 0] * 128 + 128
    scale = 2 / 299
    assert float(found[0, 0]) == 0
    assert float(found[0, 75]) == pytest.approx(100 * 75 * scale, rel=1e-5)
    assert float(found[0, 298]) == 100
    assert float(found[298, 298]) == 240
    assert float(found[75, 75]) == pytest.approx(
        (1 - 75 * scale) * 100 * 75 * scale + 75 * scale * (200 + 40 * 75 * scale), rel=1e-5
    )


def test_the_tensorflow_path_equals_torch_fidelitys_to_the_bit() -> None:
    peer = import_peer("torch_fidelity.interpolate_compat_tensorflow")
    for side in (8, 32, 299, 400):
        images = noise(2, side)
        theirs = peer.interpolate_bilinear_2d_like_tensorflow1x(images.float(), size=(299, 299), align_corners=False)
        assert torch.equal(tensorflow_path(images), (theirs - 128) / 128), side


def test_the_clean_path_equals_clean_fids_own_words() -> None:
    from PIL import Image

    images = noise(1, 24)
    planes = [
        np.asarray(Image.fromarray(p.astype(np.float32)).resize((299, 299), resample=Image.Resampling.BICUBIC)).clip(
            0, 255
        )
        for p in images[0].numpy()
    ]
    assert torch.equal(clean_path(images)[0], (torch.from_numpy(np.stack(planes)) - 128) / 128)


def test_each_path_is_another_one_and_none_moves_an_image_that_fits() -> None:
    small, fitting = noise(1, 32), noise(1, 299)
    found = [path(small) for path in PIXEL_PATHS.values()]
    for i, one in enumerate(found):
        assert one.shape == (1, 3, 299, 299)
        assert one.dtype == torch.float32
        assert all(
            (one - other).abs().mean() > 1e-3
            for other in found[i + 1 :]
            if other is not found[3] or one is not found[1]
        )
    plain = (fitting.float() - 128) / 128
    assert torch.equal(tensorflow_path(fitting), plain)
    torch.testing.assert_close(clean_path(fitting), plain)
    torch.testing.assert_close(torchmetrics_path(fitting), plain)
    torch.testing.assert_close(pytorch_path(fitting), 2 * fitting.float() / 255 - 1)


def test_enlarging_with_antialias_is_plain_bilinear_and_reducing_is_not() -> None:
    assert (torchmetrics_path(noise(1, 32)) * 128 + 128 - (pytorch_path(noise(1, 32)) + 1) * 127.5).abs().max() < 1e-2
    assert (torchmetrics_path(noise(1, 600)) * 128 + 128 - (pytorch_path(noise(1, 600)) + 1) * 127.5).abs().mean() > 5


def test_grey_is_repeated_and_four_channels_are_refused() -> None:
    grey = noise(2, 10, 1)
    assert torch.equal(three_channels(grey)[:, 2], grey[:, 0])
    with pytest.raises(ValueError, match="4 channels"):
        three_channels(noise(1, 10, 4))


def test_features_by_a_weights_file_say_that_they_are_not_the_published_ones(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    file = tmp_path / "mine.safetensors"
    save_file(STATE, file)
    images = noise(3, 16, 1)
    features = load_features("inception-tf:64", weights=file)
    assert features.name.startswith("inception-tf:64@")
    assert features.fingerprint["published"] is False
    assert (
        relative(features.extract(images), NETWORK.run(tensorflow_path(three_channels(images)), ("64",))["64"]) < 2e-6
    )
    by_torch, _, _ = features_module.inception_features("tf", file, "64", engine="torch")
    assert relative(by_torch(images), features.extract(images)) < 2e-6
    with pytest.raises(UsageError, match="layers"):
        load_features("inception-tf:65", weights=file).extract(images)


def test_without_weights_the_error_says_which_file_goes_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("GANDIAG_OFFLINE", "1")
    with pytest.raises(GandiagError, match=r"pt_inception-2015-12-05-6726825d\.pth") as caught:
        load_features("inception-tf")
    assert str(tmp_path / "weights") in str(caught.value)
    monkeypatch.delenv("GANDIAG_OFFLINE")
    monkeypatch.setattr(
        published.urllib.request, "urlopen", lambda *a, **k: (_ for _ in ()).throw(OSError("no network"))
    )
    with pytest.raises(GandiagError, match="no network"):
        load_features("inception-pytorch")
    assert not list((tmp_path / "weights").iterdir())


def test_a_damaged_cached_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "pt_inception-2015-12-05-6726825d.pth").write_bytes(b"half")
    with pytest.raises(GandiagError, match="damaged"):
        load_features("inception-clean")


def test_other_networks_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GandiagError, match="not the FID Inception weights"):
        fold({})
    with pytest.raises(GandiagError, match="torchvision's own"):
        fold({**STATE, "fc.weight": torch.zeros(1000, 2048)})
    (tmp_path / "x.pth").write_bytes(b"nothing")
    with pytest.raises(GandiagError, match="cannot be read as weights"):
        load_features("inception-tf", weights=tmp_path / "x.pth")
