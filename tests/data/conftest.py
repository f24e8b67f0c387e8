from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch) -> Path:
    """A cache of its own for every test, outside its tmp_path."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FIGMENT_CACHE", str(folder))
    return folder


@pytest.fixture
def paint():
    """paint(path, number, size, mode, **save options): a picture that depends on the number."""

    def save(path: Path, number: int = 0, size=(8, 8), mode: str = "RGB", **options) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).convert(mode).save(path, **options)
        return path

    return save


@pytest.fixture
def huge_png():
    """huge_png(width, height): the head of a PNG that promises this many pixels, and some data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    def make(width: int, height: int) -> bytes:
        head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(999)))

    return make


@pytest.fixture
def zipped():
    """zipped(path, folder_or_dict, method): a zip of a folder, or of names and bytes."""

    def write(path: Path, content, method: int = zipfile.ZIP_STORED) -> Path:
        if isinstance(content, Path):
            files = (file for file in content.rglob("*") if file.is_file())
            content = {str(file.relative_to(content)): file.read_bytes() for file in files}
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
        return path

    return write
