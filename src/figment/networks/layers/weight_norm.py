"""Weight normalisation: the length of each unit's weights is a parameter of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from figment import mesh
from figment.networks.layers.calibration import Calibrated

Layer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


class WeightNorm(Calibrated):
    """A linear layer or a convolution, y = g · (v · x) / |v| + b for each unit or output channel.

    Salimans & Kingma 2016, eq. 2. v is the wrapped layer's weight, whose bias, if it has one, is
    dropped; the scale g starts at 1 and the bias b at 0. With ``learn_scale=False`` g does not learn.

    ``calibrate`` sets g and b so that each unit's output has mean 0 and standard deviation ``spread`` on
    a batch (eqs. 5 and 6); where that is None it leaves them, and the layer is what the code of Salimans et
    al. 2016 calls l2-normalised, the last of its MNIST generator.
    """

    def __init__(
        self, layer: Layer, *, learn_scale: bool = True, spread: float | None = 1.0
    ) -> None:
        super().__init__()
        layer.register_parameter("bias", None)
        self.layer, self.spread = layer, spread
        self.dim = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
        units = layer.weight.shape[self.dim]
        if learn_scale:
            self.scale = nn.Parameter(torch.ones(units))
        else:
            self.register_buffer("scale", torch.ones(units))
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)  # [N, units, ...]
        each = (-1, *[1] * (y.ndim - 2))
        scale = (self.scale / self.lengths()).view(each).to(y.dtype)
        return y * scale + self.bias.view(each).to(y.dtype)

    def lengths(self) -> Tensor:
        """Return |v| of each unit: [units]."""
        return self.layer.weight.movedim(self.dim, 0).flatten(1).norm(dim=1)

    def calibrate(self, x: Tensor) -> None:
        if self.spread is None:
            return
        y = self.layer(x).movedim(1, 0).flatten(1).to(self.scale.dtype)  # [units, N ...]
        y = y / self.lengths()[:, None]
        mean = y.mean(dim=1)
        mesh.average([mean])
        variance = (y - mean[:, None]).square().mean(dim=1)
        mesh.average([variance])
        self.scale.copy_(self.spread / (variance + 1e-8).sqrt())
        self.bias.copy_(-mean * self.scale)
