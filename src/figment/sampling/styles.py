"""Styles in hand: those of seeds, two of them in one picture, and the table of style mixing.

Karras et al. 2019 (StyleGAN), section 3.1: coarse layers decide pose and shape, fine ones colour and
texture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from PIL import Image
from torch import Tensor

from figment.errors import UserError
from figment.pixels import to_uint8
from figment.sampling.captions import around_table
from figment.sampling.generator import Generator, check_seeds, check_truncation
from figment.sampling.pictures import PICTURE_ENDINGS, check_grid, save_image, to_image

ROWS = 5
"""Seeds whose coarse layers a table shows unless it is told otherwise."""


class Layers(NamedTuple):
    """A range of layers: from ``first`` to before ``end``, counted from 0."""

    first: int
    end: int

    def __str__(self) -> str:
        return f"layers {self.first} to {self.end - 1}"


def layers_of(generator: Generator, words: Sequence[int]) -> Layers:
    """Return the layers that ``--mix-layers`` names: FIRST, FIRST LAST, or without any the finer half.

    Raises UserError for a generator without styles, or for layers that it does not have.
    """
    if not generator.recipe.styled:
        raise UserError(
            "this generator has no styles to mix: train with --recipe stylegan2 (or stylegan)"
        )
    count = cast("Any", generator.net).layers
    first, last = {0: (count // 2, count - 1), 1: (*words, count - 1), 2: tuple(words)}.get(
        len(words), (-1, -1)
    )
    if not 0 <= first <= last < count:
        raise UserError(
            f"mix_layers are the first and last of the layers 0 to {count - 1}, not "
            f"{' '.join(map(str, words))}"
        )
    return Layers(first, last + 1)


@torch.no_grad()
def styles_of(
    generator: Generator, latents: Tensor, labels: Tensor | None, truncation: float | None = None
) -> Tensor:
    """Return the styles [N, layers, W] of latents [N, L] and labels [N], truncated, on the device."""
    net = cast("Any", generator.net)
    device = next(generator.net.parameters()).device
    given = None if labels is None else labels.to(device)
    style = generator.recipe.style(generator.net, latents.to(device), given)
    if truncation is not None:
        style = net.mean_style.lerp(style, truncation)
    return style[:, None].expand(-1, net.layers, -1)


def of_seeds(
    generator: Generator,
    seeds: Sequence[int],
    *,
    label: str | None = None,
    truncation: float | None = None,
) -> Tensor:
    """Return the styles [N, layers, W] of seeds, as ``Generator.sample`` has them. Raises UserError."""
    check_seeds(seeds)
    check_truncation(truncation)
    number = generator.numbered(label) if label is not None else None
    labels = generator.recipe.labels_for(seeds, torch.device("cpu"))
    if number is not None:
        labels = torch.full((len(seeds),), number)
    return styles_of(generator, generator.recipe.latents(seeds), labels, truncation)


def mixed(styles: Tensor, others: Tensor, layers: Layers) -> Tensor:
    """Return styles [N, layers, W], those of some layers taken from ``others`` [N, layers, W]."""
    found = styles.clone()
    found[:, layers.first : layers.end] = others[:, layers.first : layers.end]
    return found


@torch.inference_mode()
def pictures_of(generator: Generator, styles: Tensor, batch: int = 64) -> Tensor:
    """Return the pictures of styles of every layer [N, layers, W]: uint8 [N, C, R, R], on the CPU."""
    parts = styles.split(batch)
    return torch.cat([to_uint8(generator.net(part).float()).cpu().contiguous() for part in parts])


def mixing_table(
    generator: Generator,
    out: Path,
    *,
    mix: Sequence[int],
    layers: Sequence[int] = (),
    count: int = ROWS,
    seed: int = 0,
    label: str | None = None,
    truncation: float | None = None,
) -> str:
    """Write the table of style mixing; return a sentence that says where.

    Rows are the seeds from ``seed`` on, columns the seeds ``mix``; each picture has its row's styles but
    for ``layers``, which are its column's. The first column and the first row show both by themselves,
    named by their seeds. Raises UserError.
    """
    if out.suffix.lower() not in PICTURE_ENDINGS:
        raise UserError(f"{out}: give --out FILE.png")
    if count < 1:
        raise UserError(f"count must be above 0, not {count}")
    taken = layers_of(generator, layers)
    check_grid((count + 1) * (len(mix) + 1), out)
    how: dict[str, Any] = {"label": label, "truncation": truncation}
    rows = of_seeds(generator, range(seed, seed + count), **how)
    columns = of_seeds(generator, mix, **how)
    page: list[list[Image.Image | None]] = [
        [None, *map(to_image, pictures_of(generator, columns).numpy())]
    ]
    for row in rows:
        own = row.expand(len(columns), -1, -1)
        drawn = pictures_of(generator, torch.cat([row[None], mixed(own, columns, taken)]))
        page.append([*map(to_image, drawn.numpy())])
    names = [[f"seed {one}" for one in seeds] for seeds in (range(seed, seed + count), mix)]
    save_image(around_table(page, *names), out, page=True)
    return (
        f"{out}: rows seeds {seed} to {seed + count - 1}, columns seeds {', '.join(map(str, mix))}, "
        f"whose {taken} they take"
    )
