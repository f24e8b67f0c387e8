"""Data that are made to do harm, for ``hostile.py``: each is laid into an empty folder."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

ZEROS = bytes(64 << 20)


class Marks:
    """An object whose pickle writes a file when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.write_text, (self.mark, "it ran")


def picture(number: int = 0, side: int = 32) -> bytes:
    """Return a small PNG with shapes of its own for each number."""
    pixels = np.kron(np.random.default_rng(number).integers(0, 255, (8, 8, 3)), np.ones((4, 4, 1)))
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).resize((side, side)).save(file, "PNG")
    return file.getvalue()


def sound(folder: Path, count: int = 12) -> Path:
    """Lay some sound pictures there."""
    for number in range(count):
        (folder / f"sound{number}.png").write_bytes(picture(number))
    return folder


def zipped(folder: Path, members: dict[str, bytes], name: str = "a.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as file:
        for member, content in members.items():
            file.writestr(member, content)
    return folder / name


def many_bombs(folder: Path, mark: Path) -> Path:
    """1.2 GB of zeros; each member alone is small enough to be a picture."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    size, crc = 15 << 20, zlib.crc32(ZEROS[: 15 << 20])
    packed = packer.compress(ZEROS[:size]) + packer.flush()
    body, directory = b"", b""
    for number in range(80):
        name = f"{number:02}.png".encode()
        about = struct.pack("<5H3L2H", 20, 0, 8, 0, 0, crc, len(packed), size, len(name), 0)
        where = struct.pack("<3H2L", 0, 0, 0, 0, len(body))
        directory += b"PK\1\2\x14\0" + about + where + name
        body += b"PK\3\4" + about + name + packed
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 80, 80, len(directory), len(body), 0)
    (folder / "a.zip").write_bytes(body + directory + end)
    return folder / "a.zip"


def overlapping(folder: Path, mark: Path) -> Path:
    """A directory that names the same bytes two hundred times."""
    path = zipped(folder, {"a.png": picture()})
    whole = path.read_bytes()
    start = whole.index(b"PK\1\2")
    entry = whole[start : whole.index(b"PK\5\6")]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 200, 200, 200 * len(entry), start, 0)
    path.write_bytes(whole[:start] + 200 * entry + end)
    return path


def leading_out(folder: Path, mark: Path) -> Path:
    names = ("../../outside/victim.txt", "/tmp/out.png", "..\\..\\outside\\pack.npz", "C:\\x.png")
    return zipped(folder, {name: picture(at) for at, name in enumerate(names)})


def gigapixels(folder: Path, mark: Path) -> Path:
    """Among sound pictures one PNG and one GIF that say 60,000 pixels a side."""
    head = struct.pack(">2I5B", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1 << 20))), (b"IEND", b"")]
    png = b"".join(
        struct.pack(">I", len(text)) + kind + text + struct.pack(">I", zlib.crc32(kind + text))
        for kind, text in chunks
    )
    (folder / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + png)
    gif = struct.pack("<6s2H3B", b"GIF89a", 60_000, 60_000, 0x80, 0, 0) + bytes(6)
    gif += struct.pack("<c4HB", b",", 0, 0, 60_000, 60_000, 0) + b"\2\2\x44\1\0;"
    (folder / "large.gif").write_bytes(gif)
    return sound(folder)


def text_bomb(folder: Path, mark: Path) -> Path:
    """Pictures with 64 MiB of zeros in a compressed text."""
    info = PngImagePlugin.PngInfo()
    info.add_text("note", ZEROS.decode(), zip=True)
    Image.new("RGB", (32, 32), "red").save(folder / "text.png", pnginfo=info)
    return sound(folder)


def pipes(folder: Path, mark: Path) -> Path:
    for name in ("a.png", "dataset.json", "b", "c.parquet"):
        os.mkfifo(folder / name)
    return sound(folder)


def pipe(folder: Path, mark: Path) -> Path:
    os.mkfifo(folder / "pictures.zip")
    return folder / "pictures.zip"


def circles(folder: Path, mark: Path) -> Path:
    """Links that lead back, to themselves, nowhere, and to devices."""
    (folder / "deep").mkdir()
    links = {"deep/up": "..", "self": "self", "one": "two", "two": "one", "gone.png": "nothing"}
    for name, target in (links | {"zero.png": "/dev/zero", "mem.png": "/proc/self/mem"}).items():
        (folder / name).symlink_to(target)
    return sound(folder)


def objects(folder: Path, mark: Path) -> Path:
    """An .npz whose pictures are objects: opening them would run code."""
    np.savez(folder / "a.npz", images=np.array([Marks(mark)] * 3, object))
    return folder / "a.npz"


def pickled(folder: Path, mark: Path) -> Path:
    (folder / "a.npy").write_bytes(pickle.dumps(Marks(mark)))
    return folder / "a.npy"


def shape_without_end(folder: Path, mark: Path) -> Path:
    head = {"descr": "|u1", "fortran_order": False, "shape": (2**40, 2**20, 2**20, 3)}
    with open(folder / "a.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
        file.write(bytes(1000))
    return folder / "a.npy"


def packed_bomb(folder: Path, mark: Path) -> Path:
    np.savez_compressed(folder / "a.npz", images=np.zeros((100, 1024, 1024, 3), np.uint8))
    return folder / "a.npz"


def table_bomb(folder: Path, mark: Path) -> Path:
    """A Parquet file of 2 GB of zeros in little space."""
    import pyarrow
    from pyarrow import parquet

    value = picture() + bytes(4 << 20)
    rows = pyarrow.table({"image": [value] * 40, "label": [0, 1] * 20})
    parquet.write_table(rows, folder / "a.parquet", compression="zstd", use_dictionary=False)
    return folder / "a.parquet"


def table_of_repeats(folder: Path, mark: Path) -> Path:
    """A Parquet file of one picture of 1 MB, a hundred thousand times by reference."""
    import pyarrow
    from pyarrow import parquet

    value = picture() + os.urandom(1 << 20)
    cells = pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.zeros(100_000, np.int32)), [value])
    rows = pyarrow.table({"image": cells})
    parquet.write_table(rows, folder / "a.parquet", row_group_size=100_000)
    return folder / "a.parquet"


def cut_table(folder: Path, mark: Path) -> Path:
    path = folder / "a.parquet"
    path.write_bytes(b"PAR1" + bytes(300) + struct.pack("<I", 2**31 - 1) + b"PAR1")
    return path


def labels(text: bytes) -> Callable[[Path, Path], Path]:
    def lay(folder: Path, mark: Path) -> Path:
        (folder / "dataset.json").write_bytes(text)
        return sound(folder)

    return lay


def names(folder: Path, mark: Path) -> Path:
    """Classes named as paths, devices and a terminal's commands."""
    told = np.array(["../../outside/folder", "/tmp/x", "con", "a\x1b[2Jb", "..", "a\nfigment: b"])
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(picture(at)))) for at in range(24)])
    np.savez(folder / "a.npz", images=pixels, labels=np.arange(24) % 6, classes=told)
    return folder / "a.npz"


DATA: dict[str, Callable[[Path, Path], Path]] = {
    "a zip of a member that unpacks to 64 MiB": lambda f, m: zipped(f, {"a.png": ZEROS}),
    "a zip of 80 members of 15 MiB of zeros": many_bombs,
    "a zip whose members overlap": overlapping,
    "a zip whose names lead out": leading_out,
    "pictures of 3.6 gigapixels": gigapixels,
    "a picture with 64 MiB of text": text_bomb,
    "a pipe": pipe,
    "pipes among pictures": pipes,
    "links in circles and to devices": circles,
    "an .npz of objects": objects,
    "a pickle called .npy": pickled,
    "an .npy of 10^24 bytes": shape_without_end,
    "an .npz of 300 MB of zeros": packed_bomb,
    "Parquet of 160 MB of zeros": table_bomb,
    "Parquet of one picture, 100,000 times": table_of_repeats,
    "Parquet whose footer has 2 GB": cut_table,
    "dataset.json 200,000 deep": labels(b'{"labels": ' + b"[" * 200_000),
    "dataset.json with a number of 4,000 digits": labels(
        b'{"labels": [["sound0.png", ' + b"9" * 4_000 + b"]]}"
    ),
    "classes named as paths": names,
}
"""By name, what lays the data into a folder and returns the source; the second argument is the file that is
written by whatever code of theirs runs."""
