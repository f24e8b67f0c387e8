from __future__ import annotations

import os
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figment.data import sources
from figment.data.sources import find_pictures, natural, read, stamp
from figment.errors import UserError


def test_sub_folders_are_classes_in_natural_order(tmp_path, paint):
    for name in ("10/1.png", "10/10.png", "10/2.png", "2/a.png", "2/deep/er/b.png"):
        paint(tmp_path / name)
    found = find_pictures(str(tmp_path))
    assert found.files == ["2/a.png", "2/deep/er/b.png", "10/1.png", "10/2.png", "10/10.png"]
    assert found.classes == ("2", "10")
    assert found.labels.tolist() == [0, 0, 1, 1, 1]
    assert read(found, 1) == (tmp_path / "2/deep/er/b.png").read_bytes()


@pytest.mark.parametrize("wrapper", ["cats/", "data/cats/"])
def test_a_folder_that_wraps_everything_is_no_class(tmp_path, paint, wrapper):
    for number in range(3):
        paint(tmp_path / f"{wrapper}{number}.png")
    found = find_pictures(str(tmp_path))
    assert found.classes == ()
    assert found.labels.tolist() == [0, 0, 0]


def test_classes_are_found_inside_a_wrapper(tmp_path, paint, zipped):
    for name in ("set/a/1.png", "set/b/1.png"):
        paint(tmp_path / "in" / name)
    found = find_pictures(str(zipped(tmp_path / "set.zip", tmp_path / "in")))
    assert found.classes == ("a", "b")
    assert found.labels.tolist() == [0, 1]


def test_a_few_pictures_beside_the_classes_are_skipped(tmp_path, paint):
    for name in ("a/1.png", "a/2.png", "b/1.png", "cover.png"):
        paint(tmp_path / name)
    found = find_pictures(str(tmp_path))
    assert found.classes == ("a", "b")
    assert found.files == ["a/1.png", "a/2.png", "b/1.png"]
    assert found.skipped == (("cover.png", "lies beside the class folders: no class"),)


def test_where_most_pictures_lie_outside_there_are_no_classes(tmp_path, paint):
    for name in ("1.png", "2.png", "3.png", "old/1.png", "worse/1.png"):
        paint(tmp_path / name)
    found = find_pictures(str(tmp_path))
    assert found.classes == ()
    assert len(found) == 5
    assert found.skipped == ()


def test_a_folder_and_its_zip_are_listed_alike(tmp_path, paint, zipped):
    for name in ("b/10.png", "b/9.png", "a c/x.png", "a/x.png", "a/é.png"):
        paint(tmp_path / "in" / name)
    folder = find_pictures(str(tmp_path / "in"))
    archive = find_pictures(str(zipped(tmp_path / "in.zip", tmp_path / "in")))
    assert archive.files == folder.files
    assert archive.classes == folder.classes == ("a", "a c", "b")
    assert archive.labels.tolist() == folder.labels.tolist()
    assert [read(archive, i) for i in range(5)] == [read(folder, i) for i in range(5)]


def test_clutter_is_invisible_and_other_files_are_counted(tmp_path, paint, zipped):
    picture = paint(tmp_path / "x.png").read_bytes()
    content = {
        "a/1.png": picture,
        "a/.hidden.png": b"",
        "a/Thumbs.db": b"",
        "__MACOSX/a/._1.png": b"",
        ".git/1.png": b"",
        "a/labels.csv": b"",
        "a/notes.TXT": b"",
        "a/more.txt": b"",
        "README": b"",
    }
    found = find_pictures(str(zipped(tmp_path / "a.zip", content)))
    assert found.files == ["a/1.png"]
    assert found.classes == ()
    hidden = {"hidden or of the system": 4}
    assert found.others == {".csv": 1, ".txt": 2, "without suffix": 1, **hidden}
    assert found.skipped == ()


def test_composed_and_decomposed_names_are_the_same_class(tmp_path, paint, zipped):
    picture = paint(tmp_path / "x.png").read_bytes()
    names = [unicodedata.normalize(form, "épine/") for form in ("NFC", "NFD")]
    content = {names[0] + "1.png": picture, names[1] + "2.png": picture, "日本/1.png": picture}
    found = find_pictures(str(zipped(tmp_path / "a.zip", content)))
    assert found.classes == (unicodedata.normalize("NFC", "épine"), "日本")
    assert found.labels.tolist() == [0, 0, 1]


def test_linked_folders_are_followed_but_never_in_circles(tmp_path, paint):
    photos = tmp_path / "photos"
    paint(photos / "real" / "1.png")
    paint(tmp_path / "elsewhere" / "2.png")
    paint(tmp_path / "stray.png")
    (photos / "real" / "loop").symlink_to(photos)
    (photos / "up").symlink_to(tmp_path)  # would bring in stray.png
    (photos / "alias").symlink_to(photos / "real")  # before "real" in order, and still no rival
    (photos / "self").symlink_to(photos / "self")
    (photos / "far").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(photos)
    found = find_pictures(str(photos))
    assert found.files == ["far/2.png", "real/1.png"]
    assert found.classes == ("far", "real")


def test_what_is_no_file_is_listed_and_not_opened(tmp_path, paint):
    paint(tmp_path / "1.png")
    (tmp_path / "2.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "3.png")  # reading it would wait for ever
    found = find_pictures(str(tmp_path))
    assert found.files == ["1.png"]
    reason = "no file behind this name"
    assert sorted(found.skipped) == [("2.png", reason), ("3.png", reason)]


def test_folders_that_may_not_be_read(tmp_path, paint, monkeypatch):
    for name in ("a/1.png", "b/1.png"):
        paint(tmp_path / name)
    real = os.scandir

    def refuse(path):
        if str(path).endswith(closed):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    closed = "b"
    found = find_pictures(str(tmp_path))
    assert found.files == ["a/1.png"]
    assert found.skipped == (("b/", "cannot be read: Permission denied"),)
    closed = tmp_path.name
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        find_pictures(str(tmp_path))


def test_a_missing_source_names_the_nearest_that_exists(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match=r"there is no '.*photoz'\. Did you mean photos\?$"):
        find_pictures(str(tmp_path / "photoz"))
    with pytest.raises(UserError, match=r"there is no 'flower'\. Did you mean flowers\?$"):
        find_pictures("flower")
    with pytest.raises(UserError, match="Give a folder"):
        find_pictures(str(tmp_path / "no" / "such" / "thing"))
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UserError, match="loop is a link that leads nowhere"):
        find_pictures(str(tmp_path / "loop"))
    with pytest.raises(UserError, match=r"a\.zip is an address: download what is there"):
        find_pictures("https://example.com/a.zip")
    with pytest.raises(UserError, match="no source of pictures is given"):
        find_pictures(" ")


def test_pictures_are_known_by_their_bytes_whatever_they_are_called(tmp_path, paint, zipped):
    names = [
        "1",
        "2.jpg_large",
        "3.jpg?w=640",
        "4.jpg.1",
        "5.jxl",
        "6.txt",
        "7.PNG",
        "8.jpg",
        "BMW.9",
    ]
    kinds = {"7.PNG": "GIF", "8.jpg": "PNG", "1": "WEBP", "2.jpg_large": "BMP", "4.jpg.1": "TIFF"}
    for number, name in enumerate(names):
        paint(tmp_path / "in" / name, number, format=kinds.get(name, "JPEG"))
    (tmp_path / "in/BMW.10").write_bytes(
        b"BMW is a maker of cars, in a text of sixty bytes and more."
    )
    (tmp_path / "in/raw.NEF").write_bytes(b"II*\0" + bytes(60))
    for source in (
        tmp_path / "in",
        zipped(tmp_path / "a", tmp_path / "in"),
    ):  # a zip without suffix
        found = find_pictures(str(source))
        assert sorted(found.files) == sorted(names)
        assert found.others == {".10": 1}
        assert found.skipped == (("raw.NEF", "a camera's raw data: export it as JPEG"),)


def test_nothing_to_read_is_said_in_one_line(tmp_path, zipped):
    with pytest.raises(UserError, match=r"holds no pictures \(it is empty\): give a folder or zip"):
        find_pictures(str(tmp_path))
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.svg").write_text("b")
    with pytest.raises(UserError, match=r"\(only 1 \.(txt|svg), 1 \.(txt|svg)\)") as caught:
        find_pictures(str(tmp_path))
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="it is empty"):
        find_pictures(str(zipped(tmp_path / "empty.zip", {})))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("cat.jpg", "is a single picture: give the folder"),
        ("cats.tar.gz", "unpack it and give the folder"),
        ("cats.parquet", "cannot be read as Parquet"),
        ("cats.csv", "neither a folder nor a .zip, .npy, .npz or .parquet"),
    ],
)
def test_other_files_are_refused_with_the_cure(tmp_path, name, answer):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=answer):
        find_pictures(str(tmp_path / name))


@pytest.mark.parametrize("keep", [0, 10, -30])
def test_a_broken_zip_is_said_to_be_one(tmp_path, paint, zipped, keep):
    paint(tmp_path / "in" / "1.png")
    path = zipped(tmp_path / "a.zip", tmp_path / "in")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"a\.zip is not a zip that can be read .*fetch it again$"):
        find_pictures(str(path))


def test_a_damaged_member_cannot_pass_for_a_whole_one(tmp_path, paint, zipped):
    paint(tmp_path / "in" / "1.png")
    data = (tmp_path / "in" / "1.png").read_bytes()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = zipped(tmp_path / "a.zip", tmp_path / "in", method)
        found = find_pictures(str(path))
        assert read(found, 0) == data
        assert data.startswith(read(found, 0, most=100)[:40])
        assert 40 <= len(read(found, 0, most=100)) <= 100
        spoiled = bytearray(path.read_bytes())
        spoiled[60] ^= 255
        path.write_bytes(spoiled)
        with pytest.raises((ValueError, sources.zips.zlib.error)):
            read(found, 0)
    path.write_bytes(b"?" * path.stat().st_size)
    with pytest.raises(ValueError, match="no entry where the directory says"):
        read(found, 0)


def test_members_that_cannot_be_read_are_listed(tmp_path, paint, zipped):
    data = paint(tmp_path / "x.png").read_bytes()
    path = zipped(tmp_path / "a.zip", {"1.png": data, "2.png": data}, zipfile.ZIP_BZIP2)
    with pytest.raises(UserError, match=r"2 x compression method 12: zip it again with deflate"):
        find_pictures(str(path))
    path = zipped(tmp_path / "b.zip", {"1.png": data, "2.png": data})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # the first entry of the directory: encrypted
    path.write_bytes(raw)
    found = find_pictures(str(path))
    assert found.files == ["2.png"]
    assert found.skipped == (("1.png", "encrypted: unzip it with its password first"),)


def test_odd_names_in_a_zip_lead_nowhere(tmp_path, paint, zipped):
    data = paint(tmp_path / "x.png").read_bytes()
    content = {"..\\..\\a\\1.png": data, "../../b/2.png": data, "/etc/3.png": data}
    found = find_pictures(str(zipped(tmp_path / "a.zip", content)))
    assert len(found) == 3
    assert all(read(found, i) == data for i in range(3))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "x.png"]


def test_a_file_larger_than_any_picture_is_not_read(tmp_path, paint, monkeypatch):
    paint(tmp_path / "1.png")
    found = find_pictures(str(tmp_path))
    monkeypatch.setattr(sources, "LARGEST", 100)
    with pytest.raises(ValueError, match="too large for a picture"):
        read(found, 0)


def test_the_stamp_notices_every_change_of_a_folder(tmp_path, paint):
    first = paint(tmp_path / "1.png", 1)
    paint(tmp_path / "2.png", 2)
    stamps = [stamp(find_pictures(str(tmp_path)))]
    assert stamp(find_pictures(str(tmp_path))) == stamps[0]
    before, data = first.stat(), bytearray(first.read_bytes())
    data[-20] ^= 1
    first.write_bytes(data)  # same size …
    os.utime(first, ns=(before.st_atime_ns, before.st_mtime_ns))  # … and the date restored
    stamps.append(stamp(find_pictures(str(tmp_path))))
    first.rename(tmp_path / "3.png")
    stamps.append(stamp(find_pictures(str(tmp_path))))
    paint(tmp_path / "4.png")
    stamps.append(stamp(find_pictures(str(tmp_path))))
    assert len(set(stamps)) == 4


def test_the_stamp_of_a_zip_is_about_its_content(tmp_path, paint, zipped):
    paint(tmp_path / "in" / "1.png", 1)
    here = zipped(tmp_path / "a.zip", tmp_path / "in")
    there = zipped(tmp_path / "b.zip", tmp_path / "in", zipfile.ZIP_DEFLATED)
    same = stamp(find_pictures(str(here)))
    assert stamp(find_pictures(str(there))) == same
    paint(tmp_path / "in" / "1.png", 2)
    assert stamp(find_pictures(str(zipped(here, tmp_path / "in")))) != same


@given(st.lists(st.text(min_size=1), min_size=2))
def test_natural_order_does_not_depend_on_the_given_one(names):
    assert sorted(sorted(names), key=natural) == sorted(sorted(names[::-1]), key=natural)


def test_natural_order_counts():
    names = ["a10b2", "a10b10", "a9", "a", "b", "a2/z", "a2b"]
    assert sorted(names, key=natural) == ["a", "a2/z", "a2b", "a9", "a10b2", "a10b10", "b"]


def test_names_of_runs(tmp_path, monkeypatch):
    (tmp_path / "my.photos").mkdir()
    monkeypatch.chdir(tmp_path / "my.photos")
    assert sources.name_of("data/cats64.zip") == "cats64"
    assert sources.name_of(str(tmp_path / "my.photos") + "/") == "my.photos"
    assert sources.name_of(".") == "my.photos"
    assert sources.name_of("/") == "data"
