"""Resizing pictures for a feature network, in float and without rounding, as the references do it.

The size of FID depends on the filter (Parmar et al. 2022, "On Aliased Resizing and Surprising
Subtleties in GAN Evaluation"), so every protocol names one of these three:

- ``antialiased_bicubic``: that paper's clean-fid. What figment takes unless told otherwise.
- ``legacy_bilinear``: pytorch-fid's. Samples at half-pixel centres and skips pixels when it shrinks.
- The original TensorFlow 1 protocol (Heusel et al. 2017) is bilinear without antialiasing as well, but
  lays pixel centres on whole numbers, so its picture lies up to half a pixel further left and up. Here only
  NVIDIA's TorchScript file resizes so, inside the network (``inception.py``).
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor


def antialiased_bicubic(images: Tensor, side: int) -> Tensor:
    """Return float32 pictures [N, C, side, side], equal to PIL's ``resize(BICUBIC)`` in mode "F".

    ``images`` [N, C, H, W] of any number type; the range is kept, and overshoot at edges is not clipped
    (clean-fid does not either). Other shapes than squares are squeezed. The filter is separable, so it is
    two matrix products; its weights are found in float64, as PIL's are (``F.interpolate`` rounds positions
    to float32 and ends up to .006 of 255 away).
    """
    height, width = images.shape[2:]
    images = images.float()
    if width != side:
        images = images @ _filter(width, side).to(images.device).T  # [N, C, H, side]
    if height != side:
        images = _filter(height, side).to(images.device) @ images  # [N, C, side, side]
    return images


def legacy_bilinear(images: Tensor, side: int) -> Tensor:
    """Return float32 pictures [N, C, side, side] as pytorch-fid resizes them: bilinear, aliased."""
    return F.interpolate(images.float(), (side, side), mode="bilinear", align_corners=False)


@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)  # kept, and used where gradients flow as well
def _filter(size: int, side: int) -> Tensor:
    """The matrix [side, size] that resizes a line of pixels: Keys' cubic (a = -.5), widened to shrink."""
    scale = size / side
    stretch = max(scale, 1.0)
    centres = (torch.arange(side, dtype=torch.float64) + 0.5)[:, None] * scale
    pixels = torch.arange(size, dtype=torch.float64)
    first = (
        centres - 2 * stretch + 0.5
    ).floor()  # PIL leaves out a pixel whose centre lies outside
    last = (centres + 2 * stretch + 0.5).floor()
    d = ((pixels + 0.5 - centres) / stretch).abs()
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    weights = torch.where(d < 1, near, far) * ((d < 2) & (pixels >= first) & (pixels < last))
    return (weights / weights.sum(dim=1, keepdim=True)).float()
