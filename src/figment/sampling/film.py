"""Moving pictures: frames into a GIF, a WebP or an MP4."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from figment.errors import UserError
from figment.files import MARK, replacing
from figment.sampling.pictures import signed

FILM_ENDINGS = (".gif", ".webp", ".mp4")
COLOURS = 255
"""Of a GIF; one of its 256 is left to viewers as the transparent one."""


def save_film(
    frames: Sequence[Image.Image], path: Path, *, fps: int = 24, loop: bool = True
) -> Path:
    """Write frames of one size as a .gif, .webp or .mp4 and return its path.

    A GIF has one palette for all frames, so that colours do not flicker, and its frames last whole
    hundredths of a second. MP4 is H.264 of even sides and needs ``pip install 'figment-gan[video]'``.
    Raises UserError for another ending, no frame, or where the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in FILM_ENDINGS:
        raise UserError(f"{path}: a film is saved as .gif, .webp or .mp4")
    if not frames:
        raise UserError("a film needs one frame or more")
    if not 1 <= fps <= 100:
        raise UserError(f"fps must be between 1 and 100, not {fps}")
    if ending == ".mp4":
        _save_mp4(frames, path, fps)
        return path
    frames = [frame.convert("RGB") for frame in frames]
    timing: dict[str, Any] = {"duration": round(1000 / fps), **({"loop": 0} if loop else {})}
    with replacing(path) as temporary:
        if ending == ".gif":
            first, *rest = _with_one_palette(frames)
            timing |= signed("GIF", page=True)
            first.save(temporary, "GIF", save_all=True, append_images=rest, **timing)
        else:
            first, *rest = frames
            timing |= {"quality": 90, "method": 2, **signed("WEBP", page=True)}
            first.save(temporary, "WEBP", save_all=True, append_images=rest, **timing)
    return path


def check_film(path: Path) -> None:
    """Refuse, before any frame is made, a file that ``save_film`` could not write."""
    if path.suffix.lower() not in FILM_ENDINGS:
        raise UserError(f"{path}: give --out FILE.gif, FILE.webp or FILE.mp4")
    if path.suffix.lower() == ".mp4":
        _video()


def _with_one_palette(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """The frames in the colours that a sheet of some of them needs most."""
    some = frames[:: max(1, len(frames) // 16)]
    width, height = some[0].size
    sheet = Image.new("RGB", (width * len(some), height))
    for place, frame in enumerate(some):
        sheet.paste(frame, (place * width, 0))
    palette = sheet.quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    return [frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]


def _save_mp4(frames: Sequence[Image.Image], path: Path, fps: int) -> None:
    av = _video()
    width, height = (side - side % 2 for side in frames[0].size)
    with replacing(path) as temporary, av.open(str(temporary), "w", format="mp4") as film:
        film.metadata["comment"] = MARK
        stream = film.add_stream("libx264", rate=fps, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            picture = frame.convert("RGB").crop((0, 0, width, height))
            film.mux(stream.encode(av.VideoFrame.from_image(picture)))
        film.mux(stream.encode())


def _video():
    try:
        import av
    except ImportError:
        raise UserError(
            "MP4 needs PyAV: pip install 'figment-gan[video]', or give --out FILE.webp"
        ) from None
    return av
