"""Spectral normalisation: a layer's weights over their largest singular value."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from figment.networks.layers.wrapping import Layer

EPSILON = 1e-12


class SpectralNorm(nn.Module):
    """Weights W -> W / sigma(W), of any shape; a parametrisation, see ``spectral``.

    sigma = uᵀWv, W seen as a matrix whose rows are the outputs (dimension ``dim``), u and v taken as
    constants: Miyato et al. 2018, algorithm 1. The buffer u persists; each forward in training takes
    one step of the power iteration, none in evaluation. Always in float32 or better, autocast or not.
    """

    u: Tensor

    def __init__(self, weight: Tensor, dim: int = 0) -> None:
        super().__init__()
        self.dim = dim
        start = torch.randn(weight.shape[dim], dtype=weight.dtype, device=weight.device)
        self.register_buffer("u", F.normalize(start, dim=0, eps=EPSILON))

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.movedim(self.dim, 0).flatten(1)  # [out, in kh kw]
            u, v = self._vectors(matrix)
            return weight / (u @ (matrix @ v))

    @torch.no_grad()
    def _vectors(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        v = F.normalize(self.u @ matrix, dim=0, eps=EPSILON)
        if self.training:
            self.u.copy_(F.normalize(matrix @ v, dim=0, eps=EPSILON))
        return self.u.clone(), v  # a copy: the next step must not change what this graph has saved


def spectral(layer: Layer) -> Layer:
    """Return the layer itself, from here on with spectral norm on its weights.

    For linear layers, convolutions, transposed convolutions and embeddings; its class and its bias
    stay. Initialise before: ``layer.weight`` is then the normalised weight, computed at each access,
    and filling it in place changes nothing (the parameter is ``layer.parametrizations.weight.original``).

    torch's own ``parametrizations.spectral_norm`` differs: 15 steps at construction, v kept as well, and
    products in bfloat16 under autocast.
    """
    transposed = isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d)
    norm = SpectralNorm(layer.get_parameter("weight").detach(), dim=1 if transposed else 0)
    # Unsafe only leaves out a trial run, which would take a step of the iteration.
    parametrize.register_parametrization(layer, "weight", norm, unsafe=True)
    return layer
