"""Grids: pictures of a training as they are written for people to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from figment.sampling.pictures import Pictures


def write_grid(path: Path, pictures: Pictures, landscape: np.ndarray | None = None) -> None:
    """Write a sample grid; of points also where they lie, with the discriminator's ``landscape``.

    A report draws them from that file, which has the picture's name and lies beside it.
    """
    from figment.sampling.cloud import Cloud, write_cloud

    pictures.save(path)
    if pictures.array.ndim == 2:
        nothing = np.zeros((0, 0), np.float32)
        cloud = Cloud(pictures.array, nothing if landscape is None else landscape)
        write_cloud(cloud, path.with_suffix(".safetensors"))


def write_rebuilt(path: Path, reals: np.ndarray, rebuilt: np.ndarray, across: int) -> None:
    """Write pictures uint8 [N, C, R, R] in rows of ``across``, below each row what came back of it."""
    from figment.sampling.pictures import save_image, tile
    from figment.sampling.walk import enlarged

    across = min(across, len(reals))
    whole = range(0, len(reals) - across + 1, across)  # rows that are full
    pairs = [side[start : start + across] for start in whole for side in (reals, rebuilt)]
    save_image(enlarged(tile(np.concatenate(pairs), across)), path, page=True)
