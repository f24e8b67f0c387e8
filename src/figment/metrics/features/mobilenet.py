"""MobileNetV2's pooled features (Sandler et al. 2018), from int8 arrays of 3.4 MB.

Good enough to rank models by, and fast on a processor; it is not the network of the published FID, and
its distances must not be set beside figures of papers.
"""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.errors import UserError
from figment.metrics.features import weights
from figment.metrics.features.extractor import Extractor, fitting, place, protocol
from figment.metrics.features.resize import antialiased_bicubic

SIDE = 128  # the network is fully convolutional; most sets here are smaller than its 224 px
STEM, HEAD, CLASSES = (
    32,
    1280,
    1001,
)  # channels of the first and last layer; class 0 is "background"
TABLE = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion t, channels c, repeats n, stride s of the seven groups: Sandler et al. 2018, table 2."""

FILE = weights.Published(
    network="mobilenet",
    file="mobilenet_v2_imagenet_int8.npz",
    sha256="2ae694896e60ae80319629c0f62469dd936ac966190bcdf2fa3440c21fbe04e0",
)
"""google-coral/test_data's tf2_mobilenet_v2_1.0_224_ptq.tflite (Apache License 2.0) as arrays."""


def open_mobilenet(path: str, device: torch.device, dtype: torch.dtype) -> Extractor:
    """Return the extractor ``mobilenet``: 128 px, 1,280 features, 1,001 logits.

    ``path`` "" looks for the file where weights are kept. Raises UserError where there is none.
    """
    file, label = weights.locate(FILE, path)
    return Extractor(
        name=f"mobilenet:{path}" if path else "mobilenet",
        protocol=protocol("mobilenet", f"{SIDE} px", "antialiased bicubic", label, dtype=dtype),
        width=HEAD,
        has_logits=True,
        network=place(read(file), device, dtype),
        resize=functools.partial(antialiased_bicubic, side=SIDE),
        batch=fitting(device, 16),
        device=device,
    )


def read(path: Path) -> MobileNetV2:
    """Return the network with the weights of an .npz: int8 ``wNN`` times ``sNN``, and biases ``bNN``.

    NN = 00..52 in the order of the network, the last is the classifier; batch-norm is folded in.
    Raises UserError for a file that holds something else.
    """
    with torch.device("meta"):
        network = MobileNetV2()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    try:
        with np.load(path) as arrays:
            for number, layer in enumerate(layers):
                scale = arrays[f"s{number:02d}"].reshape(-1, 1, 1, 1)
                weight = arrays[f"w{number:02d}"].astype(np.float32) * scale
                bias = torch.from_numpy(arrays[f"b{number:02d}"])
                state = {"weight": torch.from_numpy(weight), "bias": bias}
                layer.load_state_dict(state, assign=True)
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, EOFError):
        raise UserError(
            f"{path} does not hold MobileNetV2 1.0 as int8 arrays w00..w52, s00..s52 and b00..b52:"
            " give mobilenet:PATH of a file that does"
        ) from None
    return network


class Same(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: what is odd goes to the right and the bottom."""

    def __init__(self, wide_in: int, wide_out: int, window: int, stride: int = 1, groups: int = 1):
        super().__init__(wide_in, wide_out, window, stride, window // 2, groups=groups)

    def forward(self, input: Tensor) -> Tensor:
        if self.stride[0] == 1:
            return super().forward(input)
        height, width = input.shape[2:]
        padded = F.pad(input, (width % 2, 1, height % 2, 1))  # left, right, top, bottom
        return F.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)


class Residual(nn.Module):
    """An inverted residual block: widen, look at 3x3 px of each channel, narrow (section 3.3)."""

    def __init__(self, wide_in: int, wide_out: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = wide_in * expansion
        self.widen = Same(wide_in, inner, 1) if expansion > 1 else None
        self.look = Same(inner, inner, 3, stride, groups=inner)
        self.narrow = Same(inner, wide_out, 1)
        self.skips = stride == 1 and wide_in == wide_out

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu6(self.widen(x), inplace=True) if self.widen else x
        h = self.narrow(F.relu6(self.look(h), inplace=True))
        return x + h if self.skips else h


class MobileNetV2(nn.Module):
    """MobileNetV2 1.0 with batch-norm folded into its convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Same(3, STEM, 3, 2)
        wide, blocks = STEM, []
        for expansion, channels, repeats, stride in TABLE:
            for repeat in range(repeats):
                blocks.append(Residual(wide, channels, expansion, 1 if repeat else stride))
                wide = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = Same(wide, HEAD, 1)
        self.classifier = nn.Conv2d(HEAD, CLASSES, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return features [N, 1280] and logits [N, 1001] of float pictures [N, 3, H, W] in 0..255."""
        x = (images / 127.5 - 1).to(self.stem.weight.dtype)
        x = self.blocks(F.relu6(self.stem(x), inplace=True))  # [N, 320, H / 32, W / 32]
        pooled = (
            F.relu6(self.head(x), inplace=True).float().mean((2, 3), keepdim=True)
        )  # [N, 1280, 1, 1]
        logits = self.classifier(pooled.to(x.dtype))  # [N, 1001, 1, 1]
        return pooled.flatten(1), logits.flatten(1)
