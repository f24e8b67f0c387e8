"""Colours of any profile in sRGB, by the ICC engine that Pillow brings (littleCMS)."""

from __future__ import annotations

import functools
import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

BROKEN = "with a profile of its colours that cannot be read: taken as sRGB"
UNFIT = "with a profile of another kind of picture: taken as sRGB"
CONVERTED = "converted to sRGB from the profile that comes with it"
BRIGHT = "with a curve for bright screens (HDR), which is not undone"

D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x, y of red, green, blue
D65 = (0.3127, 0.3290)
PRIMARIES = {
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
"""Of H.273, those that are neither sRGB's nor nearly so: BT.2020 and Display P3."""
CURVES = {4: 2.2, 5: 2.8, 8: 1.0}
"""Of H.273, gammas of the transfer curves that are not nearly sRGB's."""
HDR_CURVES = (16, 18)  # PQ and HLG


def to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    """Return a picture of mode L, RGB, CMYK or LAB in sRGB, mode L or RGB, and what is to be said of it.

    Its numbers are those of the ICC profile; perceptual intent. A profile that cannot be read, or is
    not one of such pictures, is passed over: a picture is never lost over it. A grey picture with a
    profile of colours is taken for one with three equal channels, and stays grey.
    """
    space = _space(profile)
    wanted = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}.get(space)
    grey = image.mode == "L"
    fits = image.mode == wanted or (grey and wanted == "RGB")
    if not fits or wanted is None:
        return plain(image), UNFIT if space else BROKEN
    transform = _transform(profile, wanted)
    if transform is None:
        return plain(image), BROKEN
    if transform == "none":
        return plain(image), ""
    from PIL import ImageCms

    seen = ImageCms.applyTransform(image.convert("RGB") if wanted == "RGB" else image, transform)
    assert seen is not None
    return seen.convert("L") if grey else seen, CONVERTED


def plain(image: Image.Image) -> Image.Image:
    """Return a picture of mode L, RGB, CMYK or LAB without a profile in mode L or RGB."""
    if image.mode == "LAB":
        return _from_lab(image)
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    seen = ImageCms.applyTransform(image, _lab())
    assert seen is not None
    return seen


@functools.cache
def _lab() -> Any:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@functools.lru_cache(32)
def _space(profile: bytes) -> str:
    """Return what colours a profile is about, "" where it cannot be read."""
    from PIL import ImageCms

    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except Exception:  # of several kinds
        return ""


@functools.lru_cache(32)
def _transform(profile: bytes, mode: str) -> Any:
    """Return the transform from a profile to sRGB, "none" where it changes nothing, None if broken."""
    from PIL import Image, ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except Exception:  # of several kinds
        return None
    if mode != "RGB":
        return transform
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
    seen = ImageCms.applyTransform(Image.fromarray(probe), transform)
    apart = np.abs(np.asarray(seen).astype(int) - probe).max()
    return "none" if apart <= 2 else transform  # of the many profiles of sRGB itself


def of_png(info: dict) -> bytes | None:
    """Return a profile for a PNG without one whose gAMA or cHRM is not sRGB's, else None.

    ``info`` is Pillow's. A gamma within 5 % and primaries within 0.005 are sRGB's; an sRGB chunk
    decides; cHRM without gAMA is taken with sRGB's curve.
    """
    if "srgb" in info:
        return None
    gamma = info.get("gamma") or 0.45455
    if not 0.1 < gamma < 10:
        return None
    given = info.get("chromaticity") or (*D65, *SRGB)
    white, primaries = tuple(given[:2]), tuple(given[2:])
    usual = np.allclose(given, (*D65, *SRGB), atol=0.005)
    if usual and abs(gamma - 0.45455) < 0.05 * 0.45455:
        return None
    return matrix_profile(primaries, white, None if abs(gamma - 0.45455) < 0.02 else 1 / gamma)


def of_numbers(primaries: int, curve: int) -> tuple[bytes | None, str]:
    """Return a profile for colours given by the numbers of H.273, None where they are sRGB's; a note."""
    note = BRIGHT if curve in HDR_CURVES else ""
    if note or (primaries not in PRIMARIES and curve not in CURVES):
        return None, note
    return matrix_profile(PRIMARIES.get(primaries, SRGB), D65, CURVES.get(curve)), note


def in_container(data: bytes) -> tuple[int, int] | None:
    """Return primaries and transfer curve that a HEIC or AVIF says of itself (its colr box), or None."""
    at = data.find(b"colrnclx", 0, 1 << 16)
    return struct.unpack_from(">2H", data, at + 8) if 0 <= at <= len(data) - 12 else None


@functools.lru_cache(32)
def matrix_profile(
    primaries: tuple[float, ...], white: tuple[float, ...], gamma: float | None
) -> bytes | None:
    """Return an ICC profile of a display with these chromaticities; None where they are impossible.

    ``gamma`` is the exponent from numbers to light; None is sRGB's curve.
    """
    ends = np.array(primaries).reshape(3, 2)
    if (ends[:, 1] <= 0).any() or white[1] <= 0:
        return None
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in ends]).T
    point = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    try:
        matrix = columns * np.linalg.solve(columns, point)
    except np.linalg.LinAlgError:
        return None
    adapted = np.linalg.inv(BRADFORD) @ np.diag(BRADFORD @ D50 / (BRADFORD @ point)) @ BRADFORD
    curve = (
        b"para\0\0\0\0\0\3\0\0" + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        if gamma is None
        else b"para\0\0\0\0\0\0\0\0" + _fixed(gamma)
    )
    tags = {b"wtpt": b"XYZ \0\0\0\0" + _fixed(*D50)}
    for name, column in zip((b"r", b"g", b"b"), (adapted @ matrix).T, strict=True):
        tags |= {name + b"XYZ": b"XYZ \0\0\0\0" + _fixed(*column), name + b"TRC": curve}
    return _profile(tags)


def _fixed(*values: float) -> bytes:
    """Return numbers as ICC's s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(65536 * float(value)) for value in values))


def _profile(tags: dict[bytes, bytes]) -> bytes:
    """Return an ICC profile, version 4, of a display in RGB: header, table of tags, tags."""
    text = "figment".encode("utf-16-be")
    words = b"mluc" + struct.pack(">3I2s2sII", 0, 1, 12, b"en", b"US", len(text), 28) + text
    tags = {b"desc": words, b"cprt": words} | tags
    start = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12x4s",
        start + len(body),
        b"lcms",
        0x04300000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        b"acsp",
    )
    return head + bytes(28) + _fixed(*D50) + bytes(48) + table + body
