"""Generated examples in hand: as an array, a grid, a folder or a zip."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from figment.cells import enlargement
from figment.data.points import Mixture
from figment.errors import UserError
from figment.files import MARK, PAGE, cannot_write, replacing
from figment.sampling.cloud import scatter

SHOWN = 100
"""Pictures that a notebook shows at most."""
LARGEST_GRID = 10_000
"""Pictures of a grid at most."""
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


class Pictures:
    """Generated pictures [N, C, R, R] uint8, or points [N, 2] float32."""

    def __init__(
        self, array: np.ndarray, *, columns: int | None = None, mixture: Mixture | None = None
    ) -> None:
        self.array = array
        self.columns = columns
        """Columns of the grid that shows them all; as many as rows without it."""
        self.mixture = mixture
        """What points are drawn among, where their data are a known mixture."""

    def __repr__(self) -> str:
        if self.array.ndim == 2:
            return f"Pictures({len(self):,} points)"
        channels, height, width = self.array.shape[1:]
        return (
            f"Pictures({len(self):,} of {width}x{height}, {'colour' if channels == 3 else 'grey'})"
        )

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows."""
        return png(self.shown())

    def shown(self) -> Image.Image:
        """Return the grid of at most ``SHOWN`` pictures for a screen: a small one enlarged, crisp."""
        few = self if self.array.ndim == 2 else Pictures(self.array[:SHOWN], columns=self.columns)
        grid = few.grid()
        zoom = enlargement(grid.size)
        return grid.resize((grid.width * zoom, grid.height * zoom), Image.Resampling.NEAREST)

    def __len__(self) -> int:
        return len(self.array)

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype, copy=copy)  # ty: ignore[no-matching-overload]

    def __getitem__(self, index: int) -> Image.Image:
        return to_image(self.array[index])

    def grid(self, columns: int | None = None) -> Image.Image:
        """Return all pictures side by side, near square unless ``columns`` says otherwise."""
        if self.array.ndim == 2:
            return scatter(self.array, self.mixture)
        return tile(self.array, columns or self.columns)

    def save(self, path: str | Path) -> Path:
        """Write a grid (a picture's name), a zip, an .npy or .npz array, or else a folder of pictures."""
        path = Path(path)
        ending = path.suffix.lower()
        if ending in PICTURE_ENDINGS:
            save_image(self.grid(), path, page=len(self) > 1)
        elif ending in (".npy", ".npz"):
            _save_array(self.array, path)
        else:
            save_each((self.array,), path, seed=0)
        return path


def to_image(pixels: np.ndarray) -> Image.Image:
    """Return a Pillow image for pixels [C, H, W], uint8, one or three channels."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))


def check_grid(count: int, out: Path) -> None:
    """Raise UserError where so many pictures are too many for one that shows them all."""
    if count > LARGEST_GRID:
        raise UserError(
            f"{out}: {count:,} pictures are too many for one, which holds {LARGEST_GRID:,}"
        )


def tile(images: np.ndarray, columns: int | None = None) -> Image.Image:
    """Return images [N, C, H, W] as one picture, row by row; missing places are white."""
    count, channels, height, width = images.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    page = np.full((rows * columns, channels, height, width), 255, np.uint8)
    page[:count] = images
    page = page.reshape(rows, columns, channels, height, width)
    page = page.transpose(2, 0, 3, 1, 4)  # [C, rows, H, columns, W]
    return to_image(page.reshape(channels, rows * height, columns * width))


def save_each(batches: Iterable[np.ndarray], path: Path, *, seed: int) -> int:
    """Write pictures one by one into a folder or a .zip, named by seed; return how many.

    Batches of uint8 [N, C, H, W] are taken as they come, so any number fits in memory.
    """
    if path.suffix.lower() == ".zip":
        return _save_zip(batches, path, seed)
    if path.suffix:
        raise UserError(
            f"{path}: pictures can be saved as .png, .jpg, .webp (a grid), .zip, .npy, or a folder"
        )
    written = 0
    try:
        path.mkdir(parents=True, exist_ok=True)
        for batch in batches:
            for pixels in batch:
                save_image(to_image(pixels), path / f"{seed + written:06d}.png", page=False)
                written += 1
    except OSError as error:
        raise UserError(cannot_write(path, error)) from error
    return written


def _save_zip(batches: Iterable[np.ndarray], path: Path, seed: int) -> int:
    written = 0
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.comment = MARK.encode()
        for batch in batches:
            for pixels in batch:
                archive.writestr(f"{seed + written:06d}.png", png(to_image(pixels)))
                written += 1
    return written


def png(image: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    stream = io.BytesIO()
    image.save(stream, "PNG", **signed("PNG"))
    return stream.getvalue()


def save_image(image: Image.Image, path: Path, *, page: bool) -> None:
    """Write a picture in the form that the name's ending says, PNG where it says none.

    ``page``: it shows several, and is not to be taken for one of the pictures of a data set.
    """
    kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}.get(path.suffix.lower(), "PNG")
    with replacing(path) as temporary:
        image.save(temporary, kind, **signed(kind, page=page))


def signed(kind: str, *, page: bool = False) -> dict[str, Any]:
    """Return what Pillow's ``save`` takes for a picture, or page, of a kind to say that figment made it."""
    if kind == "GIF":
        return {"comment": PAGE if page else MARK}
    if kind == "PNG":
        text = PngInfo()
        text.add_text("Software", MARK)
        if page:
            text.add_text("Description", PAGE)
        return {"pnginfo": text}
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = MARK
    if page:
        exif[ExifTags.Base.ImageDescription] = PAGE
    return {"exif": exif.tobytes()}


def _save_array(array: np.ndarray, path: Path) -> None:
    with replacing(path) as temporary:
        if path.suffix.lower() == ".npy":
            with open(temporary, "wb") as file:
                np.save(file, array)
            return
        with zipfile.ZipFile(temporary, "w") as archive:  # as np.savez does, and signed
            archive.comment = MARK.encode()
            with archive.open(zipfile.ZipInfo("images.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
