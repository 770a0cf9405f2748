"""The vision transformer that DINOv2 and CLIP share: built from the shapes of its weights, and nothing to train in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gandiag.errors import GandiagError

HEAD_WIDTH = 64  # in every published size of both
DINO_EPSILON, CLIP_EPSILON = 1e-6, 1e-5
POSITION_OFFSET = 0.1  # patches, added by DINOv2 to the size that positions are brought to; scores depend on it
CLIP_NAMES = (
    ("class_embedding", "cls_token"),
    ("positional_embedding", "pos_embed"),
    ("conv1", "patch_embed.proj"),
    ("transformer.resblocks", "blocks"),
    ("ln_pre", "pre_norm"),
    ("ln_post", "norm"),
    ("ln_1", "norm1"),
    ("ln_2", "norm2"),
    ("attn.in_proj_", "attn.qkv."),
    ("attn.out_proj", "attn.proj"),
    ("mlp.c_fc", "mlp.fc1"),
    ("mlp.c_proj", "mlp.fc2"),
)  # OpenAI's and open_clip's names, and DINOv2's for the same


class VisionTransformer(nn.Module):
    """Images (n, 3, side, side), normalised, to the class token's features (n, d). Parameters are named as in DINOv2's files.

    Without `projection`, `pre_norm` and quick GELU this is DINOv2's (Oquab et al. 2023), with them and without layer scales
    CLIP's (Radford et al. 2021). Dosovitskiy et al. 2021.
    """

    def __init__(self, *, width: int, depth: int, patch: int, grid: int, projected: int | None = None) -> None:
        super().__init__()
        self.clip = projected is not None
        epsilon = CLIP_EPSILON if self.clip else DINO_EPSILON
        self.grid, self.patch = grid, patch
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, stride=patch, bias=not self.clip)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, width))
        self.pre_norm = nn.LayerNorm(width, eps=epsilon) if self.clip else nn.Identity()
        self.blocks = nn.ModuleList(Block(width, epsilon, clip=self.clip) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=epsilon)
        self.proj = nn.Parameter(torch.zeros(width, projected)) if projected is not None else None

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch_embed["proj"](images)
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), patches.flatten(2).mT], dim=1)
        tokens = self.pre_norm(tokens + self._positions(patches.shape[-1]))
        for block in self.blocks:
            tokens = block(tokens)
        features = self.norm(tokens[:, 0])
        return features if self.proj is None else features @ self.proj

    def _positions(self, side: int) -> Tensor:
        """The positions of `side` x `side` patches: bicubic, in DINOv2's own way."""
        if side == self.grid:
            return self.pos_embed
        scale = (side + POSITION_OFFSET) / self.grid
        table = self.pos_embed[:, 1:].mT.unflatten(2, (self.grid, self.grid))
        moved = F.interpolate(table, scale_factor=(scale, scale), mode="bicubic")
        return torch.cat([self.pos_embed[:, :1], moved.flatten(2).mT], dim=1)


class Block(nn.Module):
    """Attention and a dense layer, each after a norm and added to what came in."""

    def __init__(self, width: int, epsilon: float, *, clip: bool) -> None:
        super().__init__()
        self.heads, self.clip = max(1, width // HEAD_WIDTH), clip
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=epsilon), nn.LayerNorm(width, eps=epsilon)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.ls1 = nn.Identity() if clip else Scale(width)
        self.ls2 = nn.Identity() if clip else Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self._attention(self.norm1(x)))
        inner = self.mlp["fc1"](self.norm2(x))
        inner = inner * torch.sigmoid(1.702 * inner) if self.clip else F.gelu(inner)
        return x + self.ls2(self.mlp["fc2"](inner))

    def _attention(self, x: Tensor) -> Tensor:
        query, key, value = self.attn["qkv"](x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.attn["proj"](F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class Scale(nn.Module):
    """A factor for each feature."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


def build_transformer(state: Mapping[str, Any]) -> VisionTransformer:
    """Returns the network of these weights, DINOv2's or CLIP's image side, float32, in evaluation mode.

    Raises GandiagError where they are another network's, or one of these with registers or gated layers.
    """
    names = {name: value.float() for name, value in _renamed(state).items() if torch.is_tensor(value)}
    for name in ("patch_embed.proj.weight", "pos_embed", "cls_token", "norm.weight"):
        if name not in names:
            raise GandiagError(f"these are not the weights of DINOv2 or of CLIP's image side: there is no {name}")
    width, _, patch, _ = names["patch_embed.proj.weight"].shape
    names["cls_token"] = names["cls_token"].reshape(1, 1, width)
    names["pos_embed"] = names["pos_embed"].reshape(1, -1, width)
    network = VisionTransformer(
        width=width,
        depth=1 + max((int(name.split(".")[1]) for name in names if name.startswith("blocks.")), default=-1),
        patch=patch,
        grid=math.isqrt(names["pos_embed"].shape[1] - 1),
        projected=names["proj"].shape[1] if "proj" in names else None,
    )
    try:
        network.load_state_dict(names)
    except RuntimeError as error:
        raise GandiagError(
            f"these weights are of a vision transformer that is not known here ({' '.join(str(error).split())[:200]}); known are "
            "DINOv2's without registers up to ViT-L/14, and CLIP's ViTs as OpenAI and open_clip name their parts"
        ) from None
    return network.eval().requires_grad_(False)


def _renamed(state: Mapping[str, Any]) -> dict[str, Any]:
    """DINOv2's names, whosesoever they are; CLIP's text side and DINOv2's mask, which images never meet, are left out."""
    if not any(name.startswith("visual.") for name in state):
        return {name: value for name, value in state.items() if name != "mask_token"}
    found = {}
    for name, value in state.items():
        if name.startswith("visual."):
            new = name.removeprefix("visual.")
            for theirs, ours in CLIP_NAMES:
                new = new.replace(theirs, ours)
            found[new] = value
    return found
