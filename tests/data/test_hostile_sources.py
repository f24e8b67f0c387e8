"""Sources that are made to do harm: refused in one line at once, in little memory, nothing else touched."""

from __future__ import annotations

import os
import socket
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from figment.cli import main
from figment.data import glance, kinds, packed, sources, zips
from figment.data.decode import decode_file
from figment.data.labelling import read_list
from figment.data.sources import find_pictures
from figment.data.square import Form
from figment.errors import UserError

ZEROS = bytes(17 << 20)


def refused(source: object) -> str:
    """Return the sentence with which a source is refused, having taken little memory for it."""
    tracemalloc.start()
    with pytest.raises(UserError) as caught:
        glance.look(str(source))
    assert tracemalloc.get_traced_memory()[1] < 50 << 20
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def patched(path, mark: bytes, place: int, value: bytes):
    """Return a zip with some bytes after its last ``mark`` replaced."""
    data = bytearray(path.read_bytes())
    at = data.rindex(mark) + place
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def test_members_that_unpack_to_far_more_than_pictures_do(tmp_path, paint, zipped):
    picture = paint(tmp_path / "x.png").read_bytes()
    bomb = zipped(tmp_path / "bomb.zip", {"a.png": ZEROS}, zipfile.ZIP_DEFLATED)
    assert "times its size: refused as a zip bomb" in refused(bomb)
    mixed = zipped(tmp_path / "mixed.zip", {"a.png": ZEROS, "b.png": picture}, zipfile.ZIP_DEFLATED)
    found = find_pictures(str(mixed))
    assert found.files == ["b.png"] and "zip bomb" in found.skipped[0][1]


def test_a_member_beyond_the_end_is_damaged(tmp_path, paint):
    """Offsets of zip64 go up to 2^64, which no int64 holds."""
    picture, path = paint(tmp_path / "x.png").read_bytes(), tmp_path / "far.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", picture)
        archive.writestr("b.png", picture)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")  # of b.png, whose name ends the directory
    more = struct.pack("<2HQ", 1, 8, 1 << 63)
    data[at + 30 : at + 32] = struct.pack("<H", len(more))
    data[at + 42 : at + 46] = b"\xff" * 4
    data[at + 51 : at + 51] = more
    end = data.rindex(b"PK\x05\x06")
    (size,) = struct.unpack_from("<L", data, end + 12)
    struct.pack_into("<L", data, end + 12, size + len(more))
    path.write_bytes(data)
    found = find_pictures(str(path))
    assert found.files == ["a.png"]
    assert found.skipped == (("b.png", "damaged in the zip: its bytes lie beyond the end"),)


def test_pictures_of_one_name_in_a_zip_are_counted(tmp_path, paint, zipped):
    pictures = [paint(tmp_path / f"{n}.png", n).read_bytes() for n in range(2)]
    content = {"0.png": pictures[0], "../0.png": pictures[1], "1.png": pictures[0], "../x": b"x"}
    found = find_pictures(str(zipped(tmp_path / "a.zip", content)))
    assert sorted(found.files) == ["0.png", "1.png"]
    assert found.skipped == (("0.png", sources.TWICE),)


def test_a_link_that_vanishes_while_it_is_listed_is_counted(tmp_path, paint, monkeypatch):
    folder = tmp_path / "set"
    paint(folder / "a.png")
    (folder / "gone").symlink_to(folder / "a.png")
    usual = os.path.realpath

    def realpath(path, **how):
        if str(path).endswith("gone"):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return usual(path, **how)

    monkeypatch.setattr(os.path, "realpath", realpath)
    found = find_pictures(str(folder))
    assert found.files == ["a.png"]
    assert found.skipped == (("gone", "vanished while the folder was listed"),)


def test_many_small_bombs_are_one(tmp_path, zipped, monkeypatch):
    monkeypatch.setattr(zips, "FREE_SUM", 4 << 20)
    content = {f"{number}.png": ZEROS[: 1 << 20] for number in range(5)}
    path = zipped(tmp_path / "a.zip", content, zipfile.ZIP_DEFLATED)
    assert "refused as a zip bomb: it unpacks to" in refused(path)
    stored = zipped(tmp_path / "b.zip", content)
    assert len(find_pictures(str(stored))) == 5


def test_members_that_share_bytes(tmp_path, paint, zipped):
    paint(tmp_path / "in/1.png", 1)
    paint(tmp_path / "in/2.png", 2)
    path = zipped(tmp_path / "a.zip", tmp_path / "in")
    assert len(find_pictures(str(path))) == 2
    assert "members overlap" in refused(patched(path, b"PK\x01\x02", 42, bytes(4)))


@pytest.mark.parametrize(
    ("mark", "place", "value", "answer"),
    [
        (b"PK\x01\x02", 24, b"\xff\xff\xff\xfe", "it unpacks to 4 GB"),
        (b"PK\x01\x02", 0, b"PK\x09\x09", "its directory is damaged"),
        (b"PK\x05\x06", 10, b"\x09\x00", "its directory is cut short"),
        (b"PK\x05\x06", 12, b"\xff\xff\xff\x7f", "its directory is cut short"),
        (b"PK\x05\x06", 16, b"\xff\xff\xff\x7f", "its directory is cut short"),
        (b"PK\x05\x06", 0, b"PK\x00\x00", "it has no directory"),
    ],
)
def test_directories_that_promise_too_much(tmp_path, paint, zipped, mark, place, value, answer):
    paint(tmp_path / "in/1.png")
    path = patched(zipped(tmp_path / "a.zip", tmp_path / "in"), mark, place, value)
    assert answer in refused(path)


def test_a_directory_of_too_many_files_is_not_read(tmp_path, paint, zipped, monkeypatch):
    for number in range(4):
        paint(tmp_path / f"in/{number}.png")
    path = zipped(tmp_path / "a.zip", tmp_path / "in")
    monkeypatch.setattr("figment.data.zips.MOST_MEMBERS", 3)
    assert "names 4 files, and a zip is read up to 3: unpack it and give the folder" in refused(
        path
    )


def test_a_zip_of_zips_and_a_text_named_zip(tmp_path, zipped):
    path = zipped(tmp_path / "a.zip", {"in.zip": zipped(tmp_path / "b.zip", {}).read_bytes()})
    assert "(only 1 .zip): unpack what is in it" in refused(path)
    (tmp_path / "t.zip").write_text("hello")
    assert "t.zip is not a zip that can be read (it has no directory)" in refused(
        tmp_path / "t.zip"
    )


def test_our_reading_of_a_directory_is_python_s(tmp_path, paint, zipped):
    names = ["a/1.png", "a/é.png", "b/日本.png", "b/deep/er/2.png"]
    content = {name: paint(tmp_path / "x.png", i).read_bytes() for i, name in enumerate(names)}
    path = zipped(tmp_path / "a.zip", content, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"PK\x05 not the end" * 9
        with archive.open("c/large.png", "w", force_zip64=True) as file:
            file.write(content["a/1.png"])
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        theirs = {one.filename: archive.read(one) for one in archive.infolist()}
        ours = {m.name: zips.read_member(file, m.place, 1 << 20) for m in zips.members(path)}
    assert ours == theirs
    shifted = tmp_path / "shifted.zip"
    shifted.write_bytes(b"#!/bin/sh\n" + path.read_bytes())  # a program that unpacks itself
    found = {m.name: m.place for m in zips.members(shifted)}
    with open(shifted, "rb") as file:
        assert zips.read_member(file, found["a/1.png"], 1 << 20) == content["a/1.png"]


@pytest.mark.parametrize("name", ["pipe", "pipe.zip", "pipe.npz", "pipe.npy", "pipe.parquet"])
def test_a_pipe_is_never_waited_for(tmp_path, name, capsys):
    os.mkfifo(tmp_path / name)
    assert f"{name} is a pipe, not a file" in refused(tmp_path / name)
    assert main(["data", "pack", str(tmp_path / name), "--out", str(tmp_path / "x.npz")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_pipe_for_a_picture_or_a_list(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe is no file: give a picture"):
        decode_file(tmp_path / "pipe", Form(8, 3))
    with pytest.raises(UserError, match="pipe is no file: give a list"):
        read_list(str(tmp_path / "pipe"))


def test_devices_and_sockets(tmp_path, monkeypatch):
    assert "/dev/zero is a device, not a file" in refused("/dev/zero")
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        assert "socket is a socket, not a file" in refused(tmp_path / "socket")


def test_what_is_no_file_in_a_folder_is_counted_and_not_opened(tmp_path, paint):
    folder = tmp_path / "in"
    paint(folder / "1.png")
    os.mkfifo(folder / "dataset.json")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "status").symlink_to("/proc/self/status")  # regular, and of no size
    (folder / "away.png").symlink_to(paint(tmp_path / "2.png"))
    found = find_pictures(str(folder))
    assert found.files == ["1.png", "away.png"]
    assert found.skipped == (("zero.png", "no file behind this name"),)
    assert found.others == {".json": 1, "without suffix": 1}
    assert found.structure == ("1 picture by links that lead out of the folder",)
    (folder / "empty.png").touch()
    assert sources.read(find_pictures(str(folder)), 2) == b""


def test_names_are_printed_without_a_terminals_commands(tmp_path, paint, capsys):
    folder = tmp_path / "\x1b]0;x\x07"
    for name in (b"\xff\xfe/1.png", b"\x1b[31mred\n/2.png", "\u202egnp.3/x.png".encode()):
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path))
        paint(tmp_path / "x.png").rename(os.fsdecode(path))
    assert find_pictures(str(folder)).classes == ("\\u202egnp.3", "\\x1b[31mred\\x0a", "\\xff\\xfe")
    for words in (["data", "inspect", str(folder)], ["data", "inspect", f"{folder}/none"]):
        main(words)
        said = "".join(capsys.readouterr())
        assert "\\x1b" in said
        assert not set(said) & {"\x1b", "\x07", "\u202e", "\udcff"}


def head(shape: tuple[int, ...], descr: str = "|u1") -> bytes:
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.encode().ljust(117) + b"\n"


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (head((1 << 40, 64, 64, 3)), r"it claims 1,099,511,627,776 pictures"),
        (head((9, 1 << 40, 64, 3)), r"it is cut short: 128 of"),
        (head((-5, 64, 64, 3)), r"cannot be read as a packed file"),
        (head((2, 8, 8, 3), "|O"), r"holds object values"),
        (head((2, 8, 8, 3))[:40], r"cannot be read as a packed file"),
        (
            b"\x93NUMPY\x01\x00\x40\x00" + b"__import__('os').mkdir('pwned')".ljust(63) + b"\n",
            "damaged",
        ),
    ],
)
def test_arrays_of_absurd_shapes(tmp_path, monkeypatch, content, answer):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UserError, match=answer):
        packed.read_packed("a.npy")
    assert os.listdir() == ["a.npy"]


PICTURES = head((2, 8, 8, 3)) + bytes(384)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ({"images": head((1 << 30, 64, 64, 3))}, "its pictures are 128 bytes and should be"),
        (
            {"images": PICTURES, "labels": head((1 << 40,), "<i8")},
            "labels of .* more than there is",
        ),
        ({"images": PICTURES, "classes": head((2,), "<U500000000")}, "classes of .* more than"),
        ({"images": PICTURES, "labels": head((2,), "|O") + b"\x80\x04."}, "could be code"),
        ({"images": PICTURES, "classes": head((2,), "|O") + b"\x80\x04."}, "could be code"),
    ],
)
def test_packed_files_that_promise_too_much(tmp_path, zipped, method, content, answer):
    members = {f"{name}.npy": data for name, data in content.items()}
    with pytest.raises(UserError, match=answer):
        packed.read_packed(str(zipped(tmp_path / "a.npz", members, method)))


def test_equal_and_terrible_class_names_of_a_packed_file_stay_apart(tmp_path):
    names = np.array(["cat", "cat", "\x1b[1m"])
    np.savez(
        tmp_path / "a.npz", images=np.zeros((3, 8, 8, 3), np.uint8), labels=[0, 1, 2], classes=names
    )
    assert packed.read_packed(str(tmp_path / "a.npz")).classes == ("cat (0)", "cat (1)", "\\x1b[1m")


def test_a_run_inside_the_data_is_no_data(tmp_path, paint, zipped):
    paint(tmp_path / "in/1.png")
    for name in ("in/runs/a/samples/000000.png", "in/runs/a/state/x.png"):
        paint(tmp_path / name)
    for name in ("recipe.json", "machine.json"):
        (tmp_path / "in/runs/a" / name).write_text("{}")
    for source in (tmp_path / "in", zipped(tmp_path / "in.zip", tmp_path / "in")):
        found = find_pictures(str(source))
        assert found.files == ["1.png"]
        assert set(found.others) == {kinds.RUNS}
    with pytest.raises(UserError, match="a is a run of figment, not data"):
        find_pictures(str(tmp_path / "in/runs/a"))
    assert len(find_pictures(str(tmp_path / "in/runs/a/samples"))) == 1
