"""Path length: a step of one length in W should change pictures equally much, wherever it is taken.

Karras et al. 2020, arXiv:1912.04958, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from figment import mesh
from figment.compiling import call, slopes
from figment.randomness_per_image import normal


def path_lengths(synthesis: Callable[[Tensor], Tensor], styles: Tensor) -> Tensor:
    """||J^T y|| of each image: [N]; eq. 4. J is the slope of its picture by its styles [N, layers, W].

    y is a picture of noise, N(0, 1) over the root of the number of pixels; the square of the length is
    the mean over the layers, as in the authors' code. In float32; differentiated again by the weights,
    and by what made the styles.
    """
    again = torch.is_grad_enabled()
    full = torch.autocast(styles.device.type, enabled=False)
    with torch.enable_grad(), full, slopes():
        styles = (
            styles.float() if styles.requires_grad else styles.detach().float().requires_grad_()
        )
        images = call(synthesis, styles)
        noise = normal(*images.shape, like=images) / images[0, 0].numel() ** 0.5
        (slope,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=again)
    return slope.square().sum(2).mean(1).sqrt()


class MeanLength(nn.Module):
    """The mean length so far, a running one: what every length is to be; a buffer, so that it is saved."""

    mean: Tensor

    def __init__(self, step: float = 0.01) -> None:
        super().__init__()
        self.step = step
        self.register_buffer("mean", torch.zeros(()))

    def deviations(self, lengths: Tensor) -> Tensor:
        """Return (length - mean)^2 of each image [N], the mean having taken a step towards these.

        The mean of all processes' lengths; it is taken as a constant.
        """
        now = lengths.detach().mean()
        mesh.average([now])
        self.mean.lerp_(now, self.step)
        return (
            lengths - self.mean.clone()
        ).square()  # a copy: the next step must not change the graph
