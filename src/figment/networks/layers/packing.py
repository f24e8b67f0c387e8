"""Packing: the discriminator judges m images at once, as one of m times the channels."""

from __future__ import annotations

from torch import Tensor

from figment.errors import UserError


def pack(x: Tensor, m: int) -> Tensor:
    """Return each ``m`` neighbours of a batch as one: [N, C, H, W] -> [N/m, m·C, H, W].

    Points [N, 2] become [N/m, 2·m]. PacGAN, Lin et al. 2018: a generator without variety
    gives packs of equal images, which are easy to tell. Only the discriminator's input layer grows;
    losses stay, and reals and fakes are packed apart. With ``m`` = 1 it is the batch itself. Raises
    UserError where ``m`` does not divide the batch.
    """
    if len(x) % m:
        raise UserError(
            f"a batch of {len(x)} is no whole number of packs of {m}: set --batch to a multiple"
        )
    return x.reshape(len(x) // m, m * x.shape[1], *x.shape[2:])
