"""The Inception v3 of the published FID (Heusel et al. 2017), from either public form of its weights.

TensorFlow's network of 2015-12-05 (Szegedy et al. 2015, "Rethinking the Inception Architecture for
Computer Vision") gives pool3 [N, 2048] and 1,008 logits. torchvision's ImageNet weights are another network
and give other figures. The forms:

- pytorch-fid's state dict ``pt_inception-2015-12-05-6726825d.pth``, run by the network below.
- NVIDIA's TorchScript ``inception-2015-12-05.pt``, which brings its own code. It resizes inside, as
  TensorFlow 1 did; a picture that has 299 px already passes unchanged.

``inception`` resizes as clean-fid does, ``inception-legacy`` as the form's own project: pytorch-fid's
bilinear, or TensorFlow 1's. Logits are without their bias, as the code of Inception Score takes them
(Salimans et al. 2016).
"""

from __future__ import annotations

import functools
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.errors import UserError
from figment.metrics.features import weights
from figment.metrics.features.extractor import Extractor, fitting, place, protocol
from figment.metrics.features.resize import antialiased_bicubic, legacy_bilinear

SIDE, WIDTH, CLASSES = 299, 2048, 1008

FILE = weights.Published(
    network="inception",
    file="pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
)
NVIDIA = weights.Published(
    network="inception",
    file="inception-2015-12-05.pt",
    sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
    url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/"
    "inception-2015-12-05.pt",
)

Shape = tuple[int, int, int]
"""A convolution: channels out, height and width of its window."""
Pair = tuple[Shape, Shape]
Branches = dict[str, list[Shape | Pair]]
AVERAGE = functools.partial(
    F.avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False
)
"""TensorFlow's average leaves the padding out; torchvision's counts it in."""
MAXIMUM = functools.partial(F.max_pool2d, kernel_size=3, stride=1, padding=1)
SHRINK = functools.partial(F.max_pool2d, kernel_size=3, stride=2)


def open_inception(
    path: str, device: torch.device, dtype: torch.dtype, *, legacy: bool, progress: bool
) -> Extractor:
    """Return the extractor ``inception`` or ``inception-legacy``: 299 px, 2,048 features, 1,008 logits.

    ``path`` is a file of either form, told by its content; "" takes the one that lies where weights are
    kept, or downloads pytorch-fid's (96 MB). Raises UserError for a file that is missing, damaged or other.
    """
    scripted = _is_torchscript(path) if path else not weights.find(FILE) and weights.find(NVIDIA)
    file, label = weights.locate(NVIDIA if scripted else FILE, path, progress=progress)
    resize, words = functools.partial(antialiased_bicubic, side=SIDE), "antialiased bicubic"
    if scripted:
        dtype = torch.float32  # its code converts the pictures to it
        network = read_torchscript(file, device)
        if legacy:
            resize, words = torch.Tensor.float, "bilinear of TensorFlow 1"
    else:
        network = place(read_state(file).fold(), device, dtype)
        if legacy:
            resize, words = functools.partial(legacy_bilinear, side=SIDE), "bilinear"
    name = "inception-legacy" if legacy else "inception"
    form = "NVIDIA's" if scripted else "pytorch-fid's"
    return Extractor(
        name=f"{name}:{path}" if path else name,
        protocol=protocol(f"{name} ({form})", f"{SIDE} px", words, label, dtype=dtype),
        width=WIDTH,
        has_logits=True,
        network=network,
        resize=resize,
        batch=fitting(device, 8),
        device=device,
    )


def read_state(path: Path) -> Inception:
    """Return the network with pytorch-fid's weights, its batch-norm still apart.

    Raises UserError for a file that holds something else.
    """
    with torch.device("meta"):
        network = Inception()
    weights.load(network, path, _other(path))
    return network


def read_torchscript(path: Path, device: torch.device) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return NVIDIA's network as a function of float pictures [N, 3, H, W] in 0..255.

    Raises UserError for a file that holds something else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, for new work
            script = torch.jit.load(path, map_location=device).eval()
        shapes = {tuple(value.shape): value for value in script.state_dict().values()}
        classifier = shapes[CLASSES, WIDTH].float()
    except (OSError, RuntimeError, ValueError, KeyError):
        raise UserError(_other(path)) from None

    def run(images: Tensor) -> tuple[Tensor, Tensor]:
        features = script(images, return_features=True).float()  # [N, 2048]
        return features, F.linear(features, classifier)

    return run


class Convolution(nn.Module):
    """A convolution without bias, batch-norm (its variance plus .001), ReLU."""

    def __init__(self, wide: int, shape: Shape, stride: int = 1, padded: bool = True) -> None:
        super().__init__()
        out, height, width = shape
        padding = (height // 2, width // 2) if padded else 0
        self.conv = nn.Conv2d(wide, out, (height, width), stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)

    def fold(self) -> None:
        """Multiply batch-norm's averages into the convolution."""
        if isinstance(self.bn, nn.BatchNorm2d):
            self.conv = nn.utils.fuse_conv_bn_eval(self.conv.eval(), self.bn.eval())
            self.bn = nn.Identity()


class Mixed(nn.Module):
    """An Inception block: branches of convolutions and one that pools, side by side.

    ``branches`` maps a branch's name to its convolutions in a row; where the last entry is a pair, both
    see what came before. ``pooled`` channels come out of the branch that pools; where they are 0, the block
    shrinks: each branch ends with a stride of 2, unpadded, and the pooled one has no convolution.
    """

    def __init__(
        self, wide: int, branches: Branches, pool: Callable[[Tensor], Tensor], pooled: int = 0
    ) -> None:
        super().__init__()
        self.pool = pool
        self.rows: list[list[list[str]]] = []  # per branch, in a row: names of layers side by side
        for branch, row in branches.items():
            channels, names = wide, []
            for number, entry in enumerate(row, 1):
                shrinks = number == len(row) and not pooled
                layers = _beside(f"{branch}_{number}" if len(row) > 1 else branch, entry)
                for name, shape in layers.items():
                    stride = 2 if shrinks else 1
                    self.add_module(name, Convolution(channels, shape, stride, not shrinks))
                channels = sum(shape[0] for shape in layers.values())
                names.append(list(layers))
            self.rows.append(names)
        self.branch_pool = Convolution(wide, (pooled, 1, 1)) if pooled else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        for row in self.rows:
            h = [x]
            for names in row:
                joined = torch.cat(h, dim=1) if len(h) > 1 else h[0]
                h = [self.get_submodule(name)(joined) for name in names]
            parts += h
        return torch.cat([*parts, self.branch_pool(self.pool(x))], dim=1)


def _beside(name: str, entry: Shape | Pair) -> dict[str, Shape]:
    """The layers of one place in a row: one, or the two of a pair, ``..a`` and ``..b``."""
    match entry:
        case (int(), int(), int()):
            return {name: entry}
        case (first, second):
            return {f"{name}a": first, f"{name}b": second}
    raise ValueError(entry)


def _mixed_5(wide: int, pooled: int) -> Mixed:
    """35 x 35 px (figure 5 of the paper, one 3x3 pair left as 5x5)."""
    branches: Branches = {
        "branch1x1": [(64, 1, 1)],
        "branch5x5": [(48, 1, 1), (64, 5, 5)],
        "branch3x3dbl": [(64, 1, 1), (96, 3, 3), (96, 3, 3)],
    }
    return Mixed(wide, branches, AVERAGE, pooled)


def _mixed_6a() -> Mixed:
    """35 to 17 px."""
    branches: Branches = {
        "branch3x3": [(384, 3, 3)],
        "branch3x3dbl": [(64, 1, 1), (96, 3, 3), (96, 3, 3)],
    }
    return Mixed(288, branches, SHRINK)


def _mixed_6(inner: int) -> Mixed:
    """17 x 17 px, 7x7 windows as rows and columns (figure 6)."""
    branches: Branches = {
        "branch1x1": [(192, 1, 1)],
        "branch7x7": [(inner, 1, 1), (inner, 1, 7), (192, 7, 1)],
        "branch7x7dbl": [
            (inner, 1, 1),
            (inner, 7, 1),
            (inner, 1, 7),
            (inner, 7, 1),
            (192, 1, 7),
        ],
    }
    return Mixed(768, branches, AVERAGE, 192)


def _mixed_7a() -> Mixed:
    """17 to 8 px."""
    branches: Branches = {
        "branch3x3": [(192, 1, 1), (320, 3, 3)],
        "branch7x7x3": [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)],
    }
    return Mixed(768, branches, SHRINK)


def _mixed_7(wide: int, pool: Callable[[Tensor], Tensor]) -> Mixed:
    """8 x 8 px, a row and a column side by side at the end (figure 7)."""
    fork = ((384, 1, 3), (384, 3, 1))
    branches: Branches = {
        "branch1x1": [(320, 1, 1)],
        "branch3x3": [(384, 1, 1), fork],
        "branch3x3dbl": [(448, 1, 1), (384, 3, 3), fork],
    }
    return Mixed(wide, branches, pool, 192)


class Inception(nn.Module):
    """Inception v3 as FID has it; parameters are named as in pytorch-fid's file.

    Next to torchvision's: averages without the padding, and, probably by mistake, a maximum in the pooled
    branch of the last block.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, (32, 3, 3), stride=2, padded=False)
        self.Conv2d_2a_3x3 = Convolution(32, (32, 3, 3), padded=False)
        self.Conv2d_2b_3x3 = Convolution(32, (64, 3, 3))
        self.Conv2d_3b_1x1 = Convolution(64, (80, 1, 1))
        self.Conv2d_4a_3x3 = Convolution(80, (192, 3, 3), padded=False)
        self.Mixed_5b = _mixed_5(192, 32)
        self.Mixed_5c = _mixed_5(256, 64)
        self.Mixed_5d = _mixed_5(288, 64)
        self.Mixed_6a = _mixed_6a()
        self.Mixed_6b = _mixed_6(128)
        self.Mixed_6c = _mixed_6(160)
        self.Mixed_6d = _mixed_6(160)
        self.Mixed_6e = _mixed_6(192)
        self.Mixed_7a = _mixed_7a()
        self.Mixed_7b = _mixed_7(1280, AVERAGE)
        self.Mixed_7c = _mixed_7(2048, MAXIMUM)
        self.fc = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return pool3 [N, 2048] and logits [N, 1008] of float pictures [N, 3, 299, 299] in 0..255."""
        x = (images / 127.5 - 1).to(self.fc.weight.dtype)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # [N, 64, 147, 147]
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(SHRINK(x)))  # [N, 192, 71, 71]
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(SHRINK(x))))  # [N, 288, 35, 35]
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))  # [N, 768, 17, 17]
        x = self.Mixed_6e(self.Mixed_6d(x))  # [N, 768, 17, 17]
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))  # [N, 2048, 8, 8]
        features = x.float().mean((2, 3))  # [N, 2048]
        return features, F.linear(features, self.fc.weight.float())

    def fold(self) -> Inception:
        """Return itself, batch-norm folded into the convolutions."""
        for module in list(self.modules()):
            if isinstance(module, Convolution):
                module.fold()
        return self


def _is_torchscript(path: str) -> bool:
    """Whether a file holds TorchScript and not a state dict: both are zips, one holds code."""
    file = Path(path).expanduser()
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _other(path: Path) -> str:
    return (
        f"{path} holds neither pytorch-fid's state dict of the FID Inception ({FILE.file}) nor"
        f" NVIDIA's TorchScript of it ({NVIDIA.file}): give inception:PATH of one of them"
    )
