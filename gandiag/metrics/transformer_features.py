"""DINOv2 and CLIP features: FD-DINOv2, FD-CLIP and CMMD are the distances of features.py's usual metrics on these."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandiag.errors import GandiagError
from gandiag.metrics.feature_space import Features, file_sha256, in_batches
from gandiag.metrics.pixel_paths import three_channels
from gandiag.metrics.published import Published, find_weights, is_published, read_weights
from gandiag.metrics.vision_transformer import VisionTransformer, build_transformer

DINOV2 = (
    Published(
        "dinov2_vitl14_pretrain.pth",
        "https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
        "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    ),
)
CLIP = {
    "clip": Published(
        "ViT-L-14.pt",
        "https://openaipublic.azureedge.net/clip/models/b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836/ViT-L-14.pt",
        "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
        ("~/.cache/clip",),
    ),
    "clip-336": Published(
        "ViT-L-14-336px.pt",
        "https://openaipublic.azureedge.net/clip/models/3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt",
        "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
        ("~/.cache/clip",),
    ),
}
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_PIXELS = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
DINOV2_SIDE = 224  # FD-DINOv2 (Stein et al. 2023), although the network was trained at 518
BATCH = 16


def dinov2_features(weights: str | Path | None = None) -> Features:
    """Returns DINOv2's features (n, 1024), ViT-L/14: 224 x 224 by Pillow's bicubic, the class token after the last norm."""
    network, fingerprint = _load("DINOv2", DINOV2, weights)
    if network.clip:
        raise GandiagError("these are CLIP's weights, not DINOv2's: name the features clip")

    def prepare(images: Tensor) -> Tensor:
        return normalised(resized(images, (DINOV2_SIDE, DINOV2_SIDE)), IMAGENET)

    resize = "Pillow's bicubic to 224x224, quantised, ImageNet's mean and sd"
    return _features("dinov2", network, prepare, {**fingerprint, "resize": resize})


def clip_features(weights: str | Path | None = None, *, name: str = "clip", unit: bool = False) -> Features:
    """Returns CLIP's image embeddings (n, 768), ViT-L/14, as OpenAI's own preprocessing has them; `unit` brings them to length one.

    `name` is one of CLIP. The Gaussian kernel's distance on unit ones of clip-336 is CMMD (Jayasumana et al. 2024).
    """
    network, fingerprint = _load("CLIP", (CLIP[name],), weights)
    if not network.clip:
        raise GandiagError("these are DINOv2's weights, not CLIP's: name the features dinov2")
    side = network.grid * network.patch

    def prepare(images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        short = min(height, width)
        size = (side * height // short, side * width // short)
        return normalised(central(resized(images, size), side), CLIP_PIXELS)

    resize = f"Pillow's bicubic, shorter side {side}, quantised, central square, CLIP's mean and sd"
    fingerprint = {**fingerprint, "resize": resize, "length": "one" if unit else "as it is"}
    return _features(f"{name}:unit" if unit else name, network, prepare, fingerprint, unit=unit)


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns uint8 images (n, 3, h, w) at that (height, width), by Pillow's bicubic with antialias, rounded to uint8 again."""
    if tuple(images.shape[-2:]) == size:
        return images
    from PIL import Image

    rows = images.permute(0, 2, 3, 1).cpu().numpy()
    made = [Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC) for image in rows]
    return torch.from_numpy(np.stack([np.asarray(image) for image in made])).permute(0, 3, 1, 2).to(images.device)


def central(images: Tensor, side: int) -> Tensor:
    """Returns the central square of that side, as torchvision's CenterCrop cuts it."""
    top, left = (round((length - side) / 2) for length in images.shape[-2:])
    return images[..., top : top + side, left : left + side]


def normalised(images: Tensor, pixels: tuple[tuple[float, ...], tuple[float, ...]]) -> Tensor:
    """Returns uint8 images as float32, (x / 255 - mean) / sd for each channel."""
    mean, sd = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in pixels)
    return (images.to(torch.float32) / 255 - mean) / sd


def _features(
    name: str,
    network: VisionTransformer,
    prepare: Callable[[Tensor], Tensor],
    fingerprint: dict[str, Any],
    *,
    unit: bool = False,
) -> Features:
    networks = {torch.device("cpu"): network}

    def run(images: Tensor) -> Tensor:
        if images.device not in networks:
            networks[images.device] = copy.deepcopy(network).to(images.device)
        found = networks[images.device](prepare(three_channels(images)))
        return found / found.norm(dim=1, keepdim=True) if unit else found

    full = name if fingerprint["published"] else f"{name}@{fingerprint['weights'][:8]}"
    return Features(full, in_batches(run, BATCH), {"features": full, **fingerprint})


def _load(
    what: str, files: tuple[Published, ...], weights: str | Path | None
) -> tuple[VisionTransformer, dict[str, Any]]:
    path = find_weights(what, files, weights)
    digest = file_sha256(path)
    return _network(path, digest, files), {"weights": digest, "published": is_published(digest, files)}


@lru_cache(maxsize=2)
def _network(path: Path, digest: str, files: tuple[Published, ...]) -> VisionTransformer:
    """`digest` is part of the key: a file that was replaced is read again."""
    return build_transformer(_state(path, files))


def _state(path: Path, files: tuple[Published, ...]) -> dict[str, Tensor]:
    """The weights of a file; OpenAI's are a TorchScript archive, of which only the weights are taken."""
    if path.suffix != ".safetensors":
        try:
            return dict(torch.jit.load(str(path), map_location="cpu").state_dict())
        except (RuntimeError, ValueError):
            pass  # no TorchScript
    return read_weights(path, files)
