"""BigGAN's generator: Brock et al. 2019, arXiv:1809.11096, as the authors' PyTorch code has it at 32 px.

One embedding of the classes is shared by all conditional norms, and the latent comes in chunks: the first
makes the 4x4 map, each further one goes to the norms of one block, beside the class. At width 256, with
an embedding of 128 and 80 latents it has 4 287 235 parameters for ten classes. The discriminator is the
residual one (``figment.networks.resnet``), of the same width: 4 207 361 with its projection.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from figment.networks.layers.attention import SelfAttention
from figment.networks.layers.conditional_norm import (
    ConditionalBatchNorm,
    SharedEmbedding,
    by_embedding,
)
from figment.networks.layers.residual import UpBlock
from figment.networks.layers.spectral_norm import spectral


class Generator(nn.Module):
    """Latents [N, L], behind them any one-hot classes [N, K] -> images [N, C, R, R] in [-1, 1].

    Without classes the norms are told the chunks alone. L is a multiple of ``chunks_of(R)``, R a power of
    two, 8 or more. With `attend` self-attention looks at the map of so many pixels.
    """

    def __init__(
        self,
        *,
        latent: int,
        classes: int = 0,
        shared: int,
        width: int,
        resolution: int,
        channels: int,
        attend: int = 0,
    ) -> None:
        super().__init__()
        self.latent, self.chunk = latent, latent // chunks_of(resolution)
        self.embed = SharedEmbedding(classes, shared) if classes else None
        told = self.chunk + (shared if classes else 0)
        norm = partial(by_embedding, size=told)
        self.start = nn.Linear(self.chunk, width * 16)
        blocks = chunks_of(resolution) - 1
        self.blocks = nn.ModuleList(
            UpBlock(width, width, norm=norm, up=True) for _ in range(blocks)
        )
        self.attention = nn.ModuleDict({str(attend): SelfAttention(width)} if attend else {})
        self.end = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        first, *chunks = z[:, : self.latent].split(self.chunk, dim=1)
        classes = [] if self.embed is None else [self.embed(z[:, self.latent :])]
        x = self.start(first).unflatten(1, (-1, 4, 4))  # [N, F, 4, 4]
        for block, chunk in zip(self.blocks, chunks, strict=True):
            x = block(x, torch.cat([*classes, chunk], dim=1))
            if str(x.shape[2]) in self.attention:
                x = self.attention[str(x.shape[2])](x)
        return self.end(x)


def chunks_of(resolution: int) -> int:
    """Return how many chunks a latent comes in: one for the 4x4 map, one for each doubling."""
    return resolution.bit_length() - 2


def initialise(module: nn.Module) -> None:
    """Weights from N(0, .02), biases 0: the authors' setting for CIFAR-10."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.Embedding):
        nn.init.normal_(module.weight, 0.0, 0.02)
    if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
        nn.init.zeros_(module.bias)


def norms_spectrally(generator: nn.Module) -> None:
    """Put spectral norm on the linear maps that make gains and shifts of the conditional norms."""
    for norm in [m for m in generator.modules() if isinstance(m, ConditionalBatchNorm)]:
        spectral(norm.gain)
        spectral(norm.shift)
