"""The files of ``figment project``: the picture to look for, and what is written of what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from figment.errors import UserError
from figment.files import MARK, cannot_write, write_json
from figment.pixels import to_float, to_uint8
from figment.sampling.generator import Generator
from figment.sampling.pictures import save_image, tile
from figment.sampling.project import Projection
from figment.sampling.walk import enlarged

if TYPE_CHECKING:
    from figment.rounds import Playable


def read_target(path: Path, recipe: Playable) -> Tensor:
    """Return a picture file as the recipe learns pictures: [C, R, R] in [-1, 1]. Raises UserError."""
    from figment.data.decode import decode_file
    from figment.data.square import Form

    if recipe.kind == "points":
        raise UserError("points have no pictures to look for: give a run of pictures")
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a picture, after the run if there is one")
    if not path.is_file():
        raise UserError(f"{path}: there is no such picture")
    pixels = decode_file(path, Form(recipe.resolution, recipe.channels, recipe.fit))
    return to_float(torch.tensor(pixels))


def files_of(picture: Path, out: Path) -> list[Path]:
    """Return what ``write`` writes: the pair of pictures, and the latent."""
    return [out / f"{picture.stem}.png", out / f"{picture.stem}.json"]


def write(
    found: Projection,
    generator: Generator,
    target: Tensor,
    picture: Path,
    out: Path,
    features: str,
    **more: Any,
) -> str:
    """Write the picture beside what was found, and its latent; return a sentence that says how near.

    ``more`` is said of it too, in the file of the latent.
    """
    given = to_uint8(target).cpu()
    pair = tile(torch.stack([given, found.picture]).numpy(), 2)
    label = None if found.label is None else generator.classes[found.label]
    about = {"picture": picture.name, "class": label, "distance": found.distance}
    about |= {"distance of the start": found.start, "features": features}
    image, latent = files_of(picture, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        save_image(enlarged(pair), image, page=True)
        write_json(latent, about | {"software": MARK, "latent": found.latent.tolist()} | more)
    except OSError as error:
        raise UserError(cannot_write(out, error)) from error
    of = f" as {label}" if label else ""
    if not found.losses:
        return (
            f"{image}: drawn again from its latent at {found.distance:.1%} of the distance between two "
            f"samples, by the features {features}"
        )
    return (
        f"{out / picture.stem}.png: found{of} at {found.distance:.1%} of the distance between two samples "
        f"({found.start:.1%} before the descent), by the features {features}"
    )
