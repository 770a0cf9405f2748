"""The model card and the sample sheet of a bundle: what a person reads and sees. No torch."""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from gandiag.export.contract import Certificate, Contract

SHEET_SAMPLES = 64
SHEET_SIDE = 512  # pixels at least; small images are enlarged by whole factors


def sample_sheet(samples: np.ndarray, contract: Contract) -> bytes:
    """Returns a PNG of up to 64 samples, eight in a row; points are drawn as a density over their own range."""
    from PIL import Image

    sheet = _density(samples) if contract.kind == "points" else _tiles(_as_bytes(samples[:SHEET_SAMPLES], contract))
    factor = max(1, SHEET_SIDE // max(sheet.shape[:2]))
    sheet = sheet.repeat(factor, axis=0).repeat(factor, axis=1)
    out = io.BytesIO()
    Image.fromarray(sheet[..., 0] if sheet.shape[-1] == 1 else sheet).save(out, format="PNG", optimize=False)
    return out.getvalue()


def model_card(manifest: Mapping[str, Any], certificates: tuple[Certificate, ...]) -> bytes:
    """Returns MODEL_CARD.md: what the file is, how to call it, what was proven, where it comes from, what it is not fit for."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    environment.filters["cell"] = _cell
    template = environment.from_string(
        resources.files("gandiag.export").joinpath("card.md").read_text(encoding="utf-8")
    )
    return template.render(
        manifest=manifest, certificates=certificates, contract=Contract.from_json(manifest["contract"])
    ).encode()


def _cell(value: Any) -> str:
    """Text that stays in its cell of a Markdown table and holds no HTML."""
    text = " ".join(str(value).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def _as_bytes(samples: np.ndarray, contract: Contract) -> np.ndarray:
    if contract.uint8:
        return samples
    low, high = contract.value_range
    levels = (samples.astype(np.float64) - low) * (255.0 / (high - low)) + 0.5
    return np.clip(np.nan_to_num(levels), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _tiles(images: np.ndarray) -> np.ndarray:
    count, height, width, channels = images.shape
    if channels not in (1, 3):
        images, channels = images[..., :1], 1
    columns = min(8, count)
    rows = -(-count // columns)
    padded = np.zeros((rows * columns, height, width, channels), np.uint8)
    padded[:count] = images
    return (
        padded.reshape(rows, columns, height, width, channels)
        .swapaxes(1, 2)
        .reshape(rows * height, columns * width, channels)
    )


def _density(points: np.ndarray, side: int = 128) -> np.ndarray:
    flat = points[:, :2] if points.shape[1] > 1 else np.c_[points[:, 0], np.zeros(len(points))]
    low, high = flat.min() - 0.1, flat.max() + 0.1
    counts, _, _ = np.histogram2d(flat[:, 1], flat[:, 0], bins=side, range=[[low, high], [low, high]])
    shade = 255 - np.clip(counts / max(1.0, np.quantile(counts[counts > 0], 0.9)) * 255, 0, 255)
    return shade[::-1].astype(np.uint8)[..., None]
