"""DiffAugment (Zhao et al. 2020): three simple transforms, always on, in both players' moves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from figment import randomness_per_image as random
from figment.errors import UserError

POLICY = ("colour", "translation", "cutout")
"""All three, as the authors take them for CIFAR-10 and for sets of 100 pictures."""


def diffaugment(images: Tensor, policy: tuple[str, ...] = POLICY) -> Tensor:
    """Return images [N, C, H, W] after the transforms that ``policy`` names, in its order.

    "colour" is brightness, saturation and contrast. Every image draws its own; reals and fakes are
    passed apart. Computed in float32 at least, returned in the dtype that came in. Zhao et al. 2020;
    numbers and order of the authors' code. Raises UserError for a name that there is not.
    """
    strange = [name for name in policy if name not in TRANSFORMS]
    if strange:
        raise UserError(f"no augmentation {strange[0]!r}: choose from {', '.join(TRANSFORMS)}")
    seen = images.to(torch.promote_types(images.dtype, torch.float32))
    for name in policy:
        for transform in TRANSFORMS[name]:
            seen = transform(seen)
    return seen.to(images.dtype)


def brightness(images: Tensor) -> Tensor:
    """x + U(-.5, .5)."""
    return images + (_share(images) - 0.5)


def saturation(images: Tensor) -> Tensor:
    """The distance of each pixel from its grey (mean over channels), times U(0, 2)."""
    grey = images.mean(1, keepdim=True)
    return grey + (images - grey) * (_share(images) * 2)


def contrast(images: Tensor) -> Tensor:
    """The distance from the image's mean, times U(.5, 1.5)."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (_share(images) + 0.5)


def translation(images: Tensor) -> Tensor:
    """Moved by whole pixels, up to an eighth of each side either way; 0 comes in over the border."""
    n, _, h, w = images.shape
    rows, columns = _moved(images, h), _moved(images, w)  # [N, H], [N, W]
    padded = F.pad(images, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # [N, H + 2, W + 2, C]
    each = torch.arange(n, device=images.device)[:, None, None]
    return padded[each, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(images: Tensor) -> Tensor:
    """A rectangle of half of each side set to 0, its centre anywhere: it may hang over the border."""
    _, _, h, w = images.shape
    rows, columns = _cut(images, h), _cut(images, w)  # [N, H], [N, W]
    hole = rows[:, None, :, None] & columns[:, None, None, :]  # [N, 1, H, W]
    return images * ~hole


TRANSFORMS = {
    "colour": (brightness, saturation, contrast),
    "translation": (translation,),
    "cutout": (cutout,),
}


def _share(images: Tensor) -> Tensor:
    """U(0, 1) for each image: [N, 1, 1, 1]."""
    return random.uniform(len(images), 1, 1, 1, like=images)


def _moved(images: Tensor, side: int) -> Tensor:
    """The places along a side, padded by 1, that the places of each moved image show: [N, side]."""
    reach = int(side / 8 + 0.5)
    offset = random.integers(len(images), 2 * reach + 1, like=images) - reach
    places = torch.arange(1, side + 1, device=images.device)
    return (places + offset[:, None]).clamp(0, side + 1)


def _cut(images: Tensor, side: int) -> Tensor:
    """Which places along a side are cut out of each image: [N, side]."""
    size = int(side / 2 + 0.5)
    centre = random.integers(len(images), side + 1 - size % 2, like=images)
    places = torch.arange(side, device=images.device) - (centre - size // 2)[:, None]
    return (places >= 0) & (places < size)
