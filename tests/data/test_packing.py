from __future__ import annotations

import errno
import shutil
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment.data import building, decode, open_dataset, pack, packed, square
from figment.data.building import build
from figment.data.jobs import of_pictures
from figment.data.names import names_of
from figment.data.sources import TWICE, find_pictures
from figment.errors import UserError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def opened(source: Path | str, resolution: int = 8, channels: int = 3, **options):
    return open_dataset(
        str(source), resolution=resolution, channels=channels, progress=False, **options
    )


@pytest.fixture
def folder(tmp_path, paint) -> Path:
    """Two classes: a/1 a/2 a/10, b/1, all 8 x 8 and coloured."""
    for number, name in enumerate(("a/1.png", "a/2.png", "a/10.png", "b/1.png")):
        paint(tmp_path / "photos" / name, number)
    return tmp_path / "photos"


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).transpose(2, 0, 1)


def test_a_folder_becomes_a_mapped_pack(folder):
    data = opened(folder)
    names = ("a/1.png", "a/2.png", "a/10.png", "b/1.png")
    assert isinstance(data.rows, np.memmap)
    assert data.rows.dtype == np.uint8
    assert (data.rows == np.stack([pixels(folder / name) for name in names])).all()
    assert data.labels.tolist() == [0, 0, 0, 1]
    assert data.labels.dtype == np.int64
    assert data.classes == ("a", "b")
    assert (data.name, data.source) == ("photos", str(folder))
    assert data.shape == (3, 8, 8)
    assert len(data) == 4
    assert (data.skipped, data.duplicates) == ((), 0)
    assert sorted(path.name for path in folder.rglob("*.*")) == [
        "1.png",
        "1.png",
        "10.png",
        "2.png",
    ]


def test_a_read_only_folder_is_enough(folder):
    closed = [folder, *folder.iterdir()]
    for path in closed:
        path.chmod(0o555)
    assert len(opened(folder)) == 4
    assert all(path.stat().st_mode & 0o777 == 0o555 for path in closed)
    for path in closed:
        path.chmod(0o755)


def test_the_second_time_nothing_is_decoded(folder, monkeypatch):
    first = opened(folder)
    monkeypatch.delattr(decode, "see")
    second = opened(folder)
    assert (second.rows == first.rows).all()
    assert (second.labels == first.labels).all()
    assert second.fingerprint == first.fingerprint
    with pytest.raises(UserError, match="none of the 4 pictures"):
        opened(folder, resolution=16)  # other options are another pack


def test_changed_pictures_are_noticed(folder, paint):
    first = opened(folder)
    paint(folder / "a" / "2.png", 99)
    second = opened(folder)
    assert (second.rows[[0, 2, 3]] == first.rows[[0, 2, 3]]).all()
    assert (second.rows[1] == pixels(folder / "a" / "2.png")).all()
    assert second.fingerprint != first.fingerprint
    (folder / "b" / "1.png").unlink()
    assert len(opened(folder)) == 3


def test_the_fingerprint_is_about_content_and_options(folder, tmp_path, zipped, paint):
    mark = opened(folder).fingerprint
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    assert opened(tmp_path / "elsewhere" / "copy").fingerprint == mark
    assert opened(tmp_path / "elsewhere").fingerprint == mark  # a wrapper is no content
    archive = zipped(tmp_path / "photos.zip", folder, zipfile.ZIP_DEFLATED)
    assert opened(archive).fingerprint == mark
    assert (opened(archive).rows == opened(folder).rows).all()
    others = {
        opened(folder, resolution=4).fingerprint,
        opened(folder, channels=1).fingerprint,
        opened(folder, fit="pad").fingerprint,
    }
    (folder / "b").rename(folder / "c")
    others.add(opened(folder).fingerprint)
    (folder / "a" / "2.png").rename(folder / "a" / "20.png")  # another order
    others.add(opened(folder).fingerprint)
    assert len(others | {mark}) == 6


def test_a_mixed_folder_gives_what_can_be_used(tmp_path, paint):
    folder = tmp_path / "mixed"
    paint(folder / "01 plain.jpg", 1, (40, 30))
    paint(folder / "02 alpha.png", 2, (20, 50), "RGBA")
    paint(folder / "03 cmyk.jpg", 3, (30, 30), "CMYK")
    paint(folder / "04 palette.gif", 4, (9, 9), "P")
    deep = np.arange(400, dtype=np.uint16).reshape(20, 20) * 163
    Image.fromarray(deep).save(folder / "05 deep.png")
    frames = [Image.new("RGB", (12, 12), shade) for shade in ("red", "blue")]
    frames[0].save(folder / "06 moving.gif", save_all=True, append_images=frames[1:])
    (folder / "07 text.png").write_text("not a picture")
    cut = paint(folder / "08 cut.png", 5, (64, 64))
    cut.write_bytes(cut.read_bytes()[:2000])
    paint(folder / "09 dot.png", 6, (1, 1))
    (folder / "10 empty.jpg").touch()
    (folder / "list.csv").write_text("x")
    data = opened(folder)
    assert data.rows.shape == (6, 3, 8, 8)
    assert data.rows[4, 0, 0, 0] < 16 and data.rows[4, 0, -1, -1] > 240  # 16 bits, not clipped
    assert (data.rows[5] == np.array([255, 0, 0])[:, None, None]).all()
    reasons = dict(data.skipped)
    assert list(reasons) == ["07 text.png", "08 cut.png", "09 dot.png", "10 empty.jpg"]
    assert reasons["07 text.png"] == "text, not a picture"
    assert reasons["08 cut.png"].startswith("cut short")
    assert reasons["09 dot.png"] == "one pixel wide or high: too small to be a picture"
    assert opened(folder).skipped == data.skipped  # from the cache


def test_what_lies_beside_the_pictures_is_told_anew(folder):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    assert [file for file, _ in opened(folder).skipped] == ["gone.png"]
    (folder / "gone.png").unlink()
    assert opened(folder).skipped == ()


def test_a_name_that_a_zip_has_twice_is_a_name(folder, tmp_path, zipped):
    path = zipped(tmp_path / "a.zip", folder)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a/1.png", (folder / "b" / "1.png").read_bytes())
    data = opened(path)
    assert [reason for _, reason in data.skipped] == [TWICE]
    assert names_of(data) == ["a/1.png", "a/2.png", "a/10.png", "b/1.png"]


def test_where_nothing_is_usable_the_reasons_are_named(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.png").write_text("hello")
    with pytest.raises(UserError) as caught:
        opened(tmp_path)
    assert str(caught.value) == (
        f"none of the 3 pictures of {tmp_path} can be read (3 x text, not a picture, e.g. 0.png)"
    )


def test_a_class_of_which_nothing_is_left_is_dropped(folder, paint):
    paint(folder / "aa" / "1.png", 1).write_bytes(b"")
    data = opened(folder)
    assert data.classes == ("a", "b")
    assert data.labels.tolist() == [0, 0, 0, 1]
    shutil.rmtree(folder / "b")
    data = opened(folder)
    assert data.classes == ()
    assert data.labels.tolist() == [0, 0, 0]


def test_exact_duplicates_are_counted_and_kept(folder):
    for name in ("3.png", "4.png"):
        shutil.copy(folder / "a" / "1.png", folder / "a" / name)
    shutil.copy(folder / "b" / "1.png", folder / "b" / "2.png")
    data = opened(folder)
    assert len(data) == 7
    assert data.duplicates == 3


def test_a_damaged_member_of_a_zip_is_skipped(folder, tmp_path, zipped):
    path = zipped(tmp_path / "a.zip", folder)
    raw = bytearray(path.read_bytes())
    raw[raw.index((folder / "a" / "2.png").read_bytes()) + 70] ^= 255
    path.write_bytes(raw)
    data = opened(path)
    assert len(data) == 3
    assert data.skipped == (("a/2.png", "damaged in the zip: wrong checksum"),)


def test_a_bomb_is_skipped_without_a_warning(folder, huge_png):
    (folder / "a" / "bomb.png").write_bytes(huge_png(20_000, 10_000))
    (folder / "a" / "half.png").write_bytes(huge_png(8_000, 8_000))
    data = opened(folder)
    assert len(data) == 4
    assert [file for file, _ in data.skipped] == ["a/bomb.png", "a/half.png"]
    assert "763 MiB of memory to decode, and the limit is 512 MiB" in data.skipped[0][1]
    assert data.skipped[1][1].startswith("cut short")


def test_a_file_that_vanishes_is_not_remembered_as_broken(folder):
    pictures = find_pictures(str(folder))
    (folder / "a" / "2.png").unlink()
    with pytest.raises(UserError, match=r"a/2\.png vanished .* try again"):
        of_pictures(pictures).piece(0, 4, square.Form(8, 3))()


def test_a_full_disk_is_a_user_error_and_leaves_nothing(folder, own_cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packed, "npy_header", full)
    with pytest.raises(UserError, match=r"is full: packing needs about 1 MB .* set FIGMENT_CACHE"):
        opened(folder)
    assert [path.suffix for path in own_cache.iterdir()] == [".lock"]


def test_rows_are_written_not_mapped_meanwhile(folder, tmp_path):
    """On a full disk a mapped file would kill the process instead of raising."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "images.npy").symlink_to("/dev/full")
    job = of_pictures(find_pictures(str(folder)))
    with pytest.raises(OSError) as caught:
        build(tmp_path / "out", str(folder), job, square.Form(64, 3), progress=False)
    assert caught.value.errno == errno.ENOSPC


def test_two_at_once_get_the_same_pack(folder, own_cache):
    found = []
    threads = [threading.Thread(target=lambda: found.append(opened(folder))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len({data.rows.filename for data in found}) == 1
    assert sum(path.is_dir() for path in own_cache.iterdir()) == 1


def test_a_damaged_cache_is_said_to_be_one(folder, own_cache):
    opened(folder)
    (rows,) = own_cache.glob("*/images.npy")
    rows.write_bytes(rows.read_bytes()[:200])
    with pytest.raises(UserError, match=r"the pack .* is damaged .* delete that folder"):
        opened(folder)


def test_many_more_pictures_than_one_stretch(tmp_path, paint):
    for number in range(150):
        paint(tmp_path / f"{number}.png", number)
    (tmp_path / "77.png").write_bytes(b"")
    data = opened(tmp_path)
    expected = [pixels(tmp_path / f"{number}.png") for number in range(150) if number != 77]
    assert (data.rows == np.stack(expected)).all()


@pytest.mark.parametrize("name", ["out.npz", "new/folder/out.npz"])
def test_a_pack_holds_all_there_is(folder, tmp_path, name):
    (folder / "a" / "broken.png").touch()
    shutil.copy(folder / "a" / "1.png", folder / "a" / "3.png")
    given = opened(folder)
    out = tmp_path / name
    made = pack(str(folder), out, resolution=8, channels=3, progress=False)
    assert made.skipped == given.skipped != ()
    assert made.name == "out"
    for data in (made, opened(out)):
        assert isinstance(data.rows.base, np.memmap)
        assert (data.rows == given.rows).all()
        assert (data.labels == given.labels).all()
        assert data.classes == ("a", "b")
        assert data.duplicates == 1
        assert data.fingerprint == given.fingerprint
    assert [path.name for path in out.parent.iterdir() if path.is_file()] == ["out.npz"]
    with np.load(out) as plain:
        assert (plain["images"] == given.rows).all()


def test_an_npy_takes_pictures_without_labels(tmp_path, folder, paint):
    with pytest.raises(UserError, match=r"holds no labels .* name it out\.npz"):
        pack(str(folder), tmp_path / "out.npy", resolution=8, channels=3)
    flat = paint(tmp_path / "flat" / "1.png", 1).parent
    pack(str(flat), tmp_path / "out.npy", resolution=8, channels=1)
    assert (np.load(tmp_path / "out.npy") == opened(flat, channels=1).rows).all()


def test_packs_that_cannot_be_written_are_refused(folder, tmp_path):
    options = {"resolution": 8, "channels": 3, "progress": False}
    with pytest.raises(UserError, match=r"ends in \.npz .* not 'out\.h5'"):
        pack(str(folder), tmp_path / "out.h5", **options)
    with pytest.raises(UserError, match="a set of points"):
        pack("ring:10", tmp_path / "out.npz", **options)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"out\.npz cannot be written \("):
        pack(str(folder), tmp_path / "file" / "out.npz", **options)


def test_a_pack_that_fails_leaves_what_was_there(folder, tmp_path, monkeypatch):
    out = tmp_path / "out.npz"
    out.write_text("precious")

    def full(path, *_):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packed, "write_npz", full)
    with pytest.raises(UserError, match=r"No space left on device: it takes 0 MB"):
        pack(str(folder), out, resolution=8, channels=3, progress=False)
    assert out.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.npz", "photos"]


def test_unknown_options_and_sources(folder):
    with pytest.raises(UserError, match="Did you mean stretch"):
        opened(folder, fit="strech")
    with pytest.raises(UserError, match="Did you mean photos"):
        opened(folder.with_name("photo"))


@pytest.mark.skipif(not SHARED.exists(), reason="the shared pictures are not here")
def test_real_photographs_of_mixed_shapes():
    data = opened(SHARED / "flowers2.zip", resolution=32)
    assert data.rows.shape == (900, 3, 32, 32)
    assert data.classes == ("dandelion", "sunflowers")
    assert np.bincount(data.labels).tolist() == [450, 450]
    assert (data.skipped, data.duplicates) == ((), 0)
    red, green, blue = data.rows[450:].mean(axis=(0, 2, 3))
    assert red > green > blue  # sunflowers are yellow


def test_processes_make_the_same_pack(folder, own_cache, monkeypatch):
    whole = opened(folder)
    rows, fingerprint = np.array(whole.rows), whole.fingerprint
    for path in own_cache.iterdir():
        shutil.rmtree(path, ignore_errors=True)
    monkeypatch.setattr(building, "MANY", 1)
    again = opened(folder)
    assert again.fingerprint == fingerprint
    assert np.array_equal(again.rows, rows)


def test_a_folder_is_no_place_for_a_pack(tmp_path, paint, capsys):
    from figment.cli import main

    paint(tmp_path / "set" / "a.png")
    for more in ([], ["--overwrite"]):
        assert main(["data", "pack", str(tmp_path / "set"), "--out", str(tmp_path), *more]) == 2
        said = capsys.readouterr().err
        assert (
            said == f"figment: {tmp_path} is a folder: name the file, --out {tmp_path}/pack.npz\n"
        )
