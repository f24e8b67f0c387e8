"""Heads on the maps of a frozen, pretrained network: discriminators that need not learn to see first.

After Sauer et al. 2021, "Projected GANs converge faster", and Kumari et al. 2022, "Ensembling
off-the-shelf models for GAN training"; see ``figment.techniques.vision_aided``.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment import mesh
from figment.metrics.features import efficientnet, weights
from figment.metrics.features.extractor import place
from figment.metrics.features.resize import antialiased_bicubic
from figment.networks.layers.calibration import Calibrated
from figment.networks.layers.spectral_norm import spectral
from figment.randomness import stream

STAGES = (2, 3, 5)
"""Stages of EfficientNet-Lite0 whose maps are looked at: 24, 40, 112 channels, of side / 4, 8, 16."""
WIDTH = 64
"""Channels that each map is mixed to, and of the layers of its head."""
SLOPE = 0.2


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)  # kept, and used where gradients flow as well
def frozen(device: torch.device) -> efficientnet.EfficientNetLite0:
    """Return EfficientNet-Lite0 on a device, its norms folded, its weights frozen; one for all who ask.

    It is no part of any recipe's networks, so no checkpoint holds it. Raises UserError, which says what
    to install, where its weights are not on this machine.
    """
    file, _ = weights.locate(efficientnet.FILE, "")
    network = efficientnet.folded(efficientnet.read(file))
    return place(network, device, torch.float32)  # ty: ignore[invalid-explicit-return]


class Heads(nn.Module):
    """Images [N, C, R, R] in [-1, 1] -> logits [N, P]: those of each head, place by place.

    An image is brought to ``side`` px; the frozen network's maps at several depths are standardised, mixed
    across channels at random (Sauer et al. 2021, section 3.2) and judged, each by a head of its own.
    ``seed`` is that of the mixing, which never changes. Every image is treated alone.
    """

    def __init__(self, side: int, seed: int) -> None:
        super().__init__()
        self.side = side
        self.heads = nn.ModuleList(
            Head(efficientnet.TABLE[stage - 1][1], (seed, stage)) for stage in STAGES
        )

    def forward(self, images: Tensor) -> Tensor:
        maps = frozen(images.device).stages(self.seen(images), max(STAGES))
        found = [
            head(maps[stage - 1]).flatten(1)  # [N, places]
            for stage, head in zip(STAGES, self.heads, strict=True)
        ]
        return torch.cat(found, dim=1).float()

    def seen(self, images: Tensor) -> Tensor:
        """Return images as the frozen network is given them: [N, 3, side, side] in 0..255."""
        if images.shape[2:] != (self.side, self.side):
            images = antialiased_bicubic(images, self.side)
        shown = (images.expand(-1, 3, -1, -1) + 1) * 127.5
        return shown.contiguous(memory_format=torch.channels_last)

    def split(self, logits: Tensor) -> Sequence[Tensor]:
        """Return the logits [N, P] as those of each head [N, places]."""
        sides = (places(self.side, stage) for stage in STAGES)
        return logits.split([side**2 for side in sides], dim=1)


class Head(nn.Module):
    """A map [N, C, H, W] of the frozen network -> logits [N, 1, H, W]: two layers with spectral norm."""

    def __init__(self, channels: int, address: tuple[int, int]) -> None:
        super().__init__()
        self.standard = Standard(channels)
        mixing = stream("vision-aided", *address).standard_normal((WIDTH, channels, 1, 1))
        mixing = torch.from_numpy(mixing / channels**0.5).float()
        self.register_buffer("mixing", mixing, persistent=False)  # a function of the address
        self.look = spectral(nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
        self.verdict = spectral(nn.Conv2d(WIDTH, 1, 1))

    mixing: Tensor

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(self.standard(x), self.mixing)  # [N, WIDTH, H, W]
        return self.verdict(F.leaky_relu(self.look(x), SLOPE))


class Standard(Calibrated):
    """Maps [N, C, H, W] with the mean 0 and the deviation 1 in each channel, as the first reals have it."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        mean, deviation = (v.view(1, -1, 1, 1) for v in (self.mean, self.deviation))
        return (x - mean) / deviation

    def calibrate(self, x: Tensor) -> None:
        """Take over the batch's mean and deviation, those of all processes together."""
        rows = x.float().movedim(1, 0).flatten(1)  # [C, N H W]
        mean, square = rows.mean(1), rows.square().mean(1)
        mesh.average([mean, square])
        self.mean.copy_(mean)
        self.deviation.copy_((square - mean.square()).clamp(min=1e-6).sqrt())


def places(side: int, stage: int) -> int:
    """Return the side of a stage's map, for pictures of ``side`` px: halved by the stem and by strides."""
    strides = [2, *(row[3] for row in efficientnet.TABLE[:stage])]
    return functools.reduce(lambda size, stride: -(-size // stride), strides, side)
