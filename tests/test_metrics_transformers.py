"""DINOv2 and CLIP: the network against its published formulas and against transformers' with the same random weights; files and pixels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from gandiag.errors import GandiagError
from gandiag.metrics import load_features, published
from gandiag.metrics.transformer_features import CLIP_PIXELS, IMAGENET, central, normalised, resized
from gandiag.metrics.vision_transformer import CLIP_NAMES, VisionTransformer, build_transformer

DINO = {"width": 128, "depth": 2, "patch": 14, "grid": 16}  # at 224 pixels its positions are as they are
CLIP = {"width": 128, "depth": 2, "patch": 8, "grid": 4, "projected": 24}


def test_dinov2s_block_is_its_published_formula() -> None:
    network = random_network(**DINO)
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(images), by_formulas(network, images), rtol=1e-5, atol=1e-5)


def test_clips_image_side_is_its_published_formula() -> None:
    network = random_network(**CLIP)
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found = network(images)
    assert found.shape == (3, 24)
    torch.testing.assert_close(found, by_formulas(network, images), rtol=1e-5, atol=1e-5)


def test_dinov2_equals_transformers() -> None:
    peer = pytest.importorskip("transformers.models.dinov2.modeling_dinov2")
    settings = pytest.importorskip("transformers.models.dinov2.configuration_dinov2")
    network = random_network(**DINO)
    theirs = peer.Dinov2Model(
        settings.Dinov2Config(
            hidden_size=128, num_hidden_layers=2, num_attention_heads=2, image_size=224, patch_size=14
        )
    ).eval()
    theirs.load_state_dict(transformers_names(network.state_dict(), theirs.state_dict()))
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(network(images), theirs(images).pooler_output, rtol=1e-5, atol=1e-5)


def test_clip_equals_transformers() -> None:
    peer = pytest.importorskip("transformers.models.clip.modeling_clip")
    settings = pytest.importorskip("transformers.models.clip.configuration_clip")
    network = random_network(**CLIP)
    theirs = peer.CLIPVisionModelWithProjection(
        settings.CLIPVisionConfig(
            hidden_size=128,
            intermediate_size=512,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
            projection_dim=24,
        )
    ).eval()
    theirs.load_state_dict(transformers_names(network.state_dict(), theirs.state_dict()))
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(network(images), theirs(images).image_embeds, rtol=1e-5, atol=1e-5)


def test_positions_are_moved_by_bicubic_with_dinov2s_offset() -> None:
    network = random_network(width=64, depth=1, patch=14, grid=37)
    found = network._positions(16)
    table = network.pos_embed[0, 1:].reshape(37, 37, 64).double()
    along = cubic_weights(16, 37, (16 + 0.1) / 37)
    expected = torch.einsum("ai,bj,ijc->abc", along, along, table).reshape(256, 64)
    torch.testing.assert_close(found[0, 1:].double(), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(found[:, 0], network.pos_embed[:, 0])


def test_dinov2s_features_from_a_file(tmp_path: Path) -> None:
    network = random_network(**DINO)
    torch.save({**network.state_dict(), "mask_token": torch.zeros(1, 128)}, tmp_path / "small.pth")
    features = load_features("dinov2", weights=tmp_path / "small.pth")
    assert features.name == f"dinov2@{features.fingerprint['weights'][:8]}"  # no published weights: no FD-DINOv2
    images = torch.randint(256, (3, 1, 50, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rgb = [Image.fromarray(np.asarray(image[0])).convert("RGB") for image in images]
    pixels = [np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC)) for image in rgb]
    x = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).double() / 255
    mean, sd = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in IMAGENET)
    torch.testing.assert_close(features.extract(images), network(((x - mean) / sd).float()), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="4 channels"):
        features.extract(images.repeat(1, 4, 1, 1))


def test_clips_features_from_the_names_of_openai_and_of_length_one(tmp_path: Path) -> None:
    network = random_network(**CLIP)
    state = {"visual." + openai_name(k): v.half() for k, v in network.state_dict().items()}
    state["visual.class_embedding"] = state["visual.class_embedding"].flatten()
    state["visual.positional_embedding"] = state["visual.positional_embedding"][0]
    torch.save({**state, "token_embedding.weight": torch.zeros(9, 4)}, tmp_path / "clip.pt")
    images = torch.randint(256, (3, 3, 40, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    plain, unit = (load_features(name, weights=tmp_path / "clip.pt") for name in ("clip", "clip:unit"))
    expected = network(normalised(central(resized(images, (32, 51)), 32), CLIP_PIXELS))
    torch.testing.assert_close(plain.extract(images), expected, rtol=2e-2, atol=2e-2)  # the file is half precision
    torch.testing.assert_close(unit.extract(images), F.normalize(plain.extract(images), dim=1), rtol=1e-6, atol=1e-6)
    assert unit.name.startswith("clip:unit@")
    assert unit.fingerprint["length"] == "one"


def test_openais_torchscript_archives_give_their_weights(tmp_path: Path) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = random_network(**CLIP)

        def forward(self, x: Tensor) -> Tensor:
            return x

    archive = Named()
    torch.jit.trace(archive, torch.zeros(1)).save(str(tmp_path / "archive.pt"))
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    found = load_features("clip-336", weights=tmp_path / "archive.pt").extract(images)
    expected = archive.visual(normalised(images, CLIP_PIXELS))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "file"), [("dinov2", "dinov2_vitl14_pretrain.pth"), ("clip", "ViT-L-14.pt")])
def test_without_weights_the_error_says_which_file_goes_where(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANDIAG_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GANDIAG_OFFLINE", "1")
    with pytest.raises(GandiagError, match="https://") as caught:
        load_features(name)
    assert str(tmp_path / "weights" / file) in str(caught.value)
    monkeypatch.delenv("GANDIAG_OFFLINE")
    monkeypatch.setattr(
        published.urllib.request, "urlopen", lambda *_, **__: (_ for _ in ()).throw(OSError("no network"))
    )
    with pytest.raises(GandiagError, match="no network"):
        load_features(name)
    (tmp_path / "weights").mkdir(exist_ok=True)
    (tmp_path / "weights" / file).write_bytes(b"half of it")
    with pytest.raises(GandiagError, match="damaged"):
        load_features(name)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    state = random_network(**DINO).state_dict()
    with pytest.raises(GandiagError, match="there is no patch_embed"):
        build_transformer({"fc.weight": torch.zeros(3, 3)})
    with pytest.raises(GandiagError, match="without registers"):
        build_transformer({**state, "register_tokens": torch.zeros(1, 4, 128)})
    torch.save(state, tmp_path / "d.pth")
    with pytest.raises(GandiagError, match="DINOv2's weights, not CLIP's"):
        load_features("clip", weights=tmp_path / "d.pth")
    torch.save(random_network(**CLIP).state_dict(), tmp_path / "c.pth")
    with pytest.raises(GandiagError, match="CLIP's weights, not DINOv2's"):
        load_features("dinov2", weights=tmp_path / "c.pth")
    (tmp_path / "x.pth").write_bytes(b"nothing")
    with pytest.raises(GandiagError, match="cannot be read as weights"):
        load_features("dinov2", weights=tmp_path / "x.pth")


def random_network(**shape: int) -> VisionTransformer:
    network = VisionTransformer(**shape)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2 if parameter.ndim > 1 else 0.5, generator=generator)
    return network.eval().requires_grad_(False)


def by_formulas(network: VisionTransformer, images: Tensor) -> Tensor:
    """Word for word in float64, one head and one image at a time, from the state dict alone."""
    p = {k: v.double() for k, v in network.state_dict().items()}
    clip, width, n = network.clip, p["cls_token"].shape[-1], network.patch
    epsilon = 1e-5 if clip else 1e-6

    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return (
            centred / (centred**2).mean(-1, keepdim=True).add(epsilon).sqrt() * p[f"{name}.weight"] + p[f"{name}.bias"]
        )

    def dense(x: Tensor, name: str) -> Tensor:
        return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]

    def gate(x: Tensor) -> Tensor:
        return x / (1 + (-1.702 * x).exp()) if clip else x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))

    found = []
    for image in images.double():
        rows, columns = image.shape[1] // n, image.shape[2] // n
        patches = [
            image[:, n * i : n * i + n, n * j : n * j + n].flatten() for i in range(rows) for j in range(columns)
        ]
        x = torch.stack(patches) @ p["patch_embed.proj.weight"].flatten(1).T
        x = x if clip else x + p["patch_embed.proj.bias"]
        x = torch.cat([p["cls_token"][0], x]) + p["pos_embed"][0]
        x = norm(x, "pre_norm") if clip else x
        for b in (f"blocks.{i}" for i in range(len(network.blocks))):
            query, key, value = dense(norm(x, f"{b}.norm1"), f"{b}.attn.qkv").split(width, dim=1)
            heads = [
                torch.softmax(query[:, at] @ key[:, at].T / 8, dim=1) @ value[:, at]
                for at in (slice(h, h + 64) for h in range(0, width, 64))
            ]
            step = dense(torch.cat(heads, dim=1), f"{b}.attn.proj")
            x = x + (step if clip else step * p[f"{b}.ls1.gamma"])
            step = dense(gate(dense(norm(x, f"{b}.norm2"), f"{b}.mlp.fc1")), f"{b}.mlp.fc2")
            x = x + (step if clip else step * p[f"{b}.ls2.gamma"])
        x = norm(x[0], "norm")
        found.append(x @ p["proj"] if clip else x)
    return torch.stack(found).float()


def cubic_weights(size: int, source: int, scale: float) -> Tensor:
    """Keys' cubic convolution with a = -0.75, edges repeated: (size, source) weights."""

    def kernel(x: float) -> float:
        a, x = -0.75, abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    weights = torch.zeros(size, source, dtype=torch.float64)
    for i in range(size):
        at = (i + 0.5) / scale - 0.5
        for j in range(math.floor(at) - 1, math.floor(at) + 3):
            weights[i, min(max(j, 0), source - 1)] += kernel(at - j)
    return weights


def openai_name(name: str) -> str:
    for theirs, ours in CLIP_NAMES:
        name = name.replace(ours, theirs) if ours not in ("norm", "norm1", "norm2") else name
    return (
        name.replace("pre_norm", "ln_pre")
        .replace("norm1", "ln_1")
        .replace("norm2", "ln_2")
        .replace("norm.", "ln_post.")
    )


def transformers_names(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our weights under transformers' names: looked up by what each of its names means."""
    parts = {}
    for name in theirs:
        layer = name.split("layer.")[-1].split("layers.")[-1].split(".")[0]
        block = f"blocks.{layer}."
        end = name.rsplit(".", 1)[-1]
        qkv = next((i for i, key in enumerate(("query", "key", "value")) if f".{key}." in name), None)
        if qkv is None:
            qkv = next((i for i, key in enumerate(("q_proj", "k_proj", "v_proj")) if f".{key}." in name), None)
        if qkv is not None:
            parts[name] = ours[f"{block}attn.qkv.{end}"].chunk(3)[qkv]
        elif name.endswith("mask_token") or name.endswith("position_ids"):
            parts[name] = theirs[name]
        else:
            parts[name] = _meant(name, block, end, ours).reshape(theirs[name].shape)
    return parts


def _meant(name: str, block: str, end: str, ours: dict[str, Tensor]) -> Tensor:
    places = (
        ("cls_token", "cls_token"),
        ("class_embedding", "cls_token"),
        ("position_embedding", "pos_embed"),
        ("visual_projection", "proj"),
        ("patch_embed", f"patch_embed.proj.{end}"),
        ("pre_layrnorm", f"pre_norm.{end}"),
        ("post_layernorm", f"norm.{end}"),
        ("layer_norm1", f"{block}norm1.{end}"),
        ("layer_norm2", f"{block}norm2.{end}"),
        ("norm1", f"{block}norm1.{end}"),
        ("norm2", f"{block}norm2.{end}"),
        ("attention.output", f"{block}attn.proj.{end}"),
        ("out_proj", f"{block}attn.proj.{end}"),
        ("o_proj", f"{block}attn.proj.{end}"),
        ("fc1", f"{block}mlp.fc1.{end}"),
        ("fc2", f"{block}mlp.fc2.{end}"),
        ("layer_scale1", f"{block}ls1.gamma"),
        ("layer_scale2", f"{block}ls2.gamma"),
        ("layernorm", f"norm.{end}"),
    )
    found = ours[next(place for part, place in places if part in name)]
    return found.T if "visual_projection" in name else found
