"""Projection: the class enters a discriminator as an inner product with its features."""

from __future__ import annotations

from torch import Tensor, nn

from figment.networks.layers.wrapping import Wrap, identity


class Projection(nn.Module):
    """Features [N, C] or [N, C, H, W] and labels [N] -> logits [N]: psi(phi) + <e_y, phi>.

    Miyato & Koyama 2018, eq. 5. phi is the sum of the features over the positions (after the network's
    last activation), psi a linear layer, e_y the embedding of class y. ``wrap`` goes around both layers
    (spectral norm in the paper). Initial weights by Glorot's rule, as in the authors' code.
    """

    def __init__(self, features: int, classes: int, *, wrap: Wrap = identity) -> None:
        super().__init__()
        psi, embedding = nn.Linear(features, 1), nn.Embedding(classes, features)
        nn.init.xavier_uniform_(psi.weight)
        nn.init.zeros_(psi.bias)
        nn.init.xavier_uniform_(embedding.weight)
        self.psi, self.embedding = wrap(psi), wrap(embedding)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        phi = x.flatten(2).sum(dim=2) if x.ndim > 2 else x  # [N, C]
        return self.psi(phi).squeeze(1) + (self.embedding(labels) * phi).sum(dim=1)
