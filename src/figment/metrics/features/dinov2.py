"""DINOv2's class token: a vision transformer trained without labels (Oquab et al. 2023), ViT-S/14.

Stein et al. 2023 ("Exposing flaws of generative model evaluation metrics") found its distances nearer to
people's judgement than Inception's. Read from the official file ``dinov2_vits14_pretrain.pth``.
"""

from __future__ import annotations

import functools
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.metrics.features import weights
from figment.metrics.features.extractor import Extractor, fitting, place, protocol
from figment.metrics.features.resize import antialiased_bicubic

SIDE, PATCH, GRID = 224, 14, 37  # the file's positions are of 37 x 37 patches, 518 px
WIDTH, DEPTH, HEADS = 384, 12, 6
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, per colour, in 0..1

FILE = weights.Published(
    network="dinov2",
    file="dinov2_vits14_pretrain.pth",
    sha256="b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
)


def open_dinov2(
    path: str, device: torch.device, dtype: torch.dtype, *, progress: bool
) -> Extractor:
    """Return the extractor ``dinov2``: 224 px, 384 features, no logits.

    ``path`` "" takes the file that lies where weights are kept, or downloads it (88 MB). Raises
    UserError for a file that is missing, damaged or other.
    """
    file, label = weights.locate(FILE, path, progress=progress)
    return Extractor(
        name=f"dinov2:{path}" if path else "dinov2",
        protocol=protocol(
            "dinov2 ViT-S/14", f"{SIDE} px", "antialiased bicubic", label, dtype=dtype
        ),
        width=WIDTH,
        has_logits=False,
        network=place(read(file), device, dtype),
        resize=functools.partial(antialiased_bicubic, side=SIDE),
        batch=fitting(device, 16),
        device=device,
    )


def read(path: Path) -> DINOv2:
    """Return the network with the weights of the official state dict, its positions fitted to 224 px.

    Raises UserError for a file that holds something else.
    """
    with torch.device("meta"):
        network = DINOv2()
    weights.load(network, path, _other(path))
    network.pos_embed = nn.Parameter(positions(network.pos_embed.data, SIDE // PATCH))
    return network


def positions(table: Tensor, grid: int) -> Tensor:
    """Return the position table [1, 1 + grid², D] resampled from one of [1, 1 + 37², D].

    As the authors' code does it: bicubic without antialiasing, the scale computed from ``grid`` + .1.
    """
    own, patches = table[:, :1], table[:, 1:]
    side, wide = round(patches.shape[1] ** 0.5), table.shape[2]
    patches = patches.reshape(1, side, side, wide).permute(0, 3, 1, 2)  # [1, D, 37, 37]
    scale = (grid + 0.1) / side
    patches = F.interpolate(patches, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([own, patches.flatten(2).transpose(1, 2)], dim=1)


class Attention(nn.Module):
    """Self-attention of six heads."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, first: int | None = None) -> Tensor:
        qkv = self.qkv(x).view(*x.shape[:2], 3, HEADS, WIDTH // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each [N, heads, tokens, 64]
        h = F.scaled_dot_product_attention(q[:, :, :first], k, v)
        return self.proj(h.transpose(1, 2).flatten(2))  # [N, tokens, 384]


class Perceptron(nn.Module):
    """Two layers with GELU between them, four times as wide inside."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Scale(nn.Module):
    """A learnt factor per channel (LayerScale, Touvron et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Block(nn.Module):
    """Attention and a perceptron, each normalised before and scaled after."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.attn = Attention()
        self.ls1 = Scale()
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.mlp = Perceptron()
        self.ls2 = Scale()

    def forward(self, x: Tensor, first: int | None = None) -> Tensor:
        """Return tokens [N, T, 384], only the ``first`` ones where that is all that is asked for."""
        x = x[:, :first] + self.ls1(self.attn(self.norm1(x), first))
        return x + self.ls2(self.mlp(self.norm2(x)))


class DINOv2(nn.Module):
    """ViT-S/14; parameters are named as in the official file."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID**2, WIDTH))
        self.mask_token = nn.Parameter(torch.zeros(1, WIDTH))  # of the training only, in the file
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, WIDTH, PATCH, PATCH)})
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)

    def forward(self, images: Tensor) -> tuple[Tensor, None]:
        """Return the class token [N, 384] of float pictures [N, 3, 224, 224] in 0..255, and no logits."""
        mean, deviation = (images.new_tensor(v).view(1, 3, 1, 1) for v in (MEAN, DEVIATION))
        x = ((images / 255 - mean) / deviation).to(self.cls_token.dtype)
        x = self.patch_embed["proj"](x).flatten(2).transpose(1, 2)  # [N, 16 x 16, 384]
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed
        token = self.blocks[-1](self.blocks[:-1](x), first=1)  # [N, 1, 384]
        return self.norm(token[:, 0]), None


def _other(path: Path) -> str:
    return f"{path} does not hold DINOv2's ViT-S/14 ({FILE.file}): give dinov2:PATH of that file"
