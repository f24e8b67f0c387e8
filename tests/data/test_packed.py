from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment.data import jobs, look, open_dataset
from figment.data.packed import is_packed, npy_header, read_packed
from figment.errors import UserError


def opened(path, resolution: int = 8, channels: int = 3, **options):
    return open_dataset(
        str(path), resolution=resolution, channels=channels, progress=False, **options
    )


@pytest.fixture
def pictures() -> np.ndarray:
    """[5, 3, 8, 8]"""
    return np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), np.uint8)


def test_an_npy_of_the_right_form_is_mapped_where_it_lies(tmp_path, pictures, own_cache):
    np.save(tmp_path / "set.npy", pictures)
    data = opened(tmp_path / "set.npy")
    assert isinstance(data.rows.base, np.memmap)
    assert data.rows.base.filename == tmp_path / "set.npy"
    assert (data.rows == pictures).all()
    assert data.labels.tolist() == [0] * 5
    assert (data.classes, data.name) == ((), "set")
    assert not list(own_cache.glob("*/images*"))


@pytest.mark.parametrize("name", ["images", "x", "x_train", "arr_0"])
def test_an_npz_is_mapped_inside_the_zip(tmp_path, pictures, name):
    np.savez(tmp_path / "set.npz", y=np.array([3, 3, 9, 3, 9]), **{name: pictures})
    data = opened(tmp_path / "set.npz")
    assert isinstance(data.rows.base, np.memmap)
    assert (data.rows == pictures).all()
    assert data.labels.tolist() == [0, 0, 1, 0, 1]
    assert data.classes == ("3", "9")


def test_a_compressed_npz_is_unpacked_to_the_cache(tmp_path, pictures, own_cache):
    np.savez_compressed(tmp_path / "set.npz", images=pictures, labels=np.arange(5) % 2)
    for _ in range(2):
        data = opened(tmp_path / "set.npz")
        assert (data.rows == pictures).all()
        assert data.labels.tolist() == [0, 1, 0, 1, 0]
    assert own_cache in data.rows.base.filename.parents
    assert len(list(own_cache.glob("*/images.raw"))) == 1


@pytest.mark.parametrize("store", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_layout_gives_the_same_rows(tmp_path, pictures, store, order):
    layouts = {
        "NCHW": pictures,
        "NHWC": pictures.transpose(0, 2, 3, 1),
        "alpha": np.concatenate([pictures, np.full((5, 1, 8, 8), 255, np.uint8)], axis=1),
    }
    for name, array in layouts.items():
        store(tmp_path / f"{name}.npz", np.array(array, order=order))
        assert (opened(tmp_path / f"{name}.npz").rows == pictures).all()


def test_grey_layouts(tmp_path, pictures):
    grey = pictures[:, 0]
    for number, array in enumerate((grey, grey[:, None], grey[..., None])):
        np.save(tmp_path / f"{number}.npy", array)
        data = opened(tmp_path / f"{number}.npy", channels=1)
        assert isinstance(data.rows.base, np.memmap)
        assert (data.rows == grey[:, None]).all()
        assert (opened(tmp_path / f"{number}.npy").rows == np.stack([grey] * 3, axis=1)).all()


def test_another_resolution_is_made_once_in_the_cache(tmp_path, own_cache):
    stored = np.zeros((5, 8, 12, 3), np.uint8)
    stored[:, :, 2:10] = np.arange(5)[:, None, None, None] * 50
    np.savez(tmp_path / "set.npz", images=stored, labels=np.array([0, 1, 0, 1, 0]))
    data = opened(tmp_path / "set.npz", resolution=4)
    assert isinstance(data.rows, np.memmap)
    assert (data.rows == np.arange(5, dtype=np.uint8)[:, None, None, None] * 50).all()
    assert data.labels.tolist() == [0, 1, 0, 1, 0]
    assert data.classes == ("0", "1")
    assert opened(tmp_path / "set.npz", resolution=4).rows.filename == data.rows.filename
    padded = opened(tmp_path / "set.npz", resolution=12, fit="pad")
    assert (padded.rows[:, :, :2] == 255).all() and (padded.rows[:, :, 10:] == 255).all()


def test_transparency_is_laid_over_white(tmp_path):
    np.save(tmp_path / "set.npy", np.zeros((2, 8, 8, 4), np.uint8))
    assert (opened(tmp_path / "set.npy").rows == 255).all()


def test_the_fingerprint_follows_the_content(tmp_path, pictures):
    marks = []
    for number, name in enumerate(("a.npy", "b.npy", "c.npy")):
        np.save(tmp_path / name, pictures + number // 2)
        marks.append(opened(tmp_path / name).fingerprint)
    assert marks[0] == marks[1] != marks[2]
    np.savez(tmp_path / "a.npz", pictures)
    np.savez_compressed(tmp_path / "b.npz", pictures)
    np.savez(tmp_path / "c.npz", pictures, labels=np.arange(5))
    marks = [opened(tmp_path / name).fingerprint for name in ("a.npz", "b.npz", "c.npz")]
    assert marks[0] == marks[1] != marks[2]


def test_an_npy_that_changes_is_noticed(tmp_path, pictures):
    np.save(tmp_path / "a.npy", pictures)
    first = opened(tmp_path / "a.npy", resolution=4)
    np.save(tmp_path / "a.npy", 255 - pictures)
    second = opened(tmp_path / "a.npy", resolution=4)
    assert first.fingerprint != second.fingerprint
    assert (first.rows != second.rows).any()


def test_a_card_that_does_not_fit_the_pictures_is_not_believed(tmp_path, pictures):
    from figment.data.packed import write_npz

    card = {"classes": [], "fingerprint": "f" * 64}
    labels = np.zeros(5, np.int64)
    write_npz(tmp_path / "a.npz", pictures, labels, card)
    assert opened(tmp_path / "a.npz").fingerprint == "f" * 64
    with np.load(tmp_path / "a.npz") as arrays:
        np.savez(tmp_path / "b.npz", **{**arrays, "images": 255 - pictures})
    assert opened(tmp_path / "b.npz").fingerprint != "f" * 64


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        (np.array([[4], [2], [4], [2], [2]], np.uint8), [1, 0, 1, 0, 0], ("2", "4")),
        (np.array(["no10", "no9", "no9", "no9", "no10"]), [1, 0, 0, 0, 1], ("no9", "no10")),
        (np.array([-1, 10, 9, 9, 9]), [0, 2, 1, 1, 1], ("-1", "9", "10")),
        (np.array([True, False, True, True, True]), [1, 0, 1, 1, 1], ("False", "True")),
        (np.array([7] * 5), [0] * 5, ()),
        (np.array([0] * 5), [0] * 5, ()),
    ],
)
def test_labels_of_any_kind_are_numbered(tmp_path, pictures, labels, numbers, classes):
    np.savez(tmp_path / "set.npz", images=pictures, labels=labels)
    data = opened(tmp_path / "set.npz")
    assert data.labels.tolist() == numbers
    assert data.labels.dtype == np.int64
    assert data.classes == classes


def test_class_names_may_lie_beside_the_labels(tmp_path, pictures):
    content = {"images": pictures, "labels": np.array([2, 0, 0, 2, 1])}
    np.savez(tmp_path / "set.npz", classes=np.array(["a", "b", "c"]), **content)
    data = opened(tmp_path / "set.npz")
    assert data.labels.tolist() == [2, 0, 0, 2, 1]
    assert data.classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("array", "answer"),
    [
        (np.zeros((5, 8, 8, 3), np.float32), r"float32 .* uint8, 0 to 255: \(x \* 255\)\.round"),
        (np.zeros((5, 8, 8, 3), np.int64), r"int64 .* x\.astype\('uint8'\) if they lie there"),
        (np.zeros((5, 8, 8), bool), r"bool values; .* 0 to 255: 255 \* x\.astype\('uint8'\)"),
        (np.zeros((5, 8, 8), np.complex64), r"complex64 values; .* scale np\.abs\(x\)"),
        (np.zeros((5, 8, 8), "M8[Y]"), r"datetime64\[Y\] values; .* give pixels, in numbers"),
        (np.zeros((5, 64), np.uint8), r"shape \[5, 64\]; figment wants \[N, H, W\]"),
        (np.zeros((5, 8, 8, 2), np.uint8), r"shape \[5, 8, 8, 2\]"),
        (np.zeros((0, 8, 8), np.uint8), r"shape \[0, 8, 8\]"),
        (np.array([{}]), "object values"),
    ],
)
def test_other_arrays_are_refused_with_the_cure(tmp_path, array, answer):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", array)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(UserError, match=answer):
            opened(tmp_path / name)


def test_labels_that_do_not_fit_are_refused(tmp_path, pictures):
    np.savez(tmp_path / "a.npz", images=pictures, labels=np.eye(5))
    with pytest.raises(UserError, match=r"labels of shape \[5, 5\] and type float64 for 5 pict"):
        opened(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", pictures=pictures, tags=np.eye(5))
    with pytest.raises(UserError, match="holds pictures, tags: name the array of pictures images"):
        opened(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", images=pictures, labels=np.array([{}] * 5))
    with pytest.raises(
        UserError, match=r"cannot be read as a packed file: labels holds Python objects"
    ):
        opened(tmp_path / "c.npz")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("keep", [0, 5, 300])
def test_broken_files_are_refused_in_one_line(tmp_path, pictures, name, keep):
    (np.save if name == "a.npy" else np.savez)(tmp_path / name, pictures)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:keep])
    with pytest.raises(UserError, match=r"cannot be read as a packed file: ") as caught:
        opened(tmp_path / name)
    assert "\n" not in str(caught.value)
    (tmp_path / name).write_text("hello, this is no array at all")
    with pytest.raises(UserError, match=r"cannot be read as a packed file: "):
        opened(tmp_path / name)


def test_a_damaged_compressed_npz_is_refused(tmp_path, own_cache):
    pictures = np.random.default_rng(0).integers(0, 256, (5, 3, 128, 128), np.uint8)
    np.savez_compressed(tmp_path / "a.npz", images=pictures)
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    raw[-5000] ^= 255
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(UserError, match=r"is damaged .*: fetch or pack it again"):
        opened(tmp_path / "a.npz", resolution=128)
    assert not list(own_cache.glob("[!.]*"))


def test_a_look_at_packed_files(tmp_path, pictures):
    np.save(tmp_path / "colour.npy", pictures.transpose(0, 2, 3, 1))
    np.savez_compressed(tmp_path / "grey.npz", x=np.zeros((4, 20, 30), np.uint8), y=[0, 1, 1, 0])
    np.save(tmp_path / "false.npy", np.repeat(pictures[:, :1], 3, axis=1))
    colour, grey = look(str(tmp_path / "colour.npy")), look(str(tmp_path / "grey.npz"))
    assert (colour.count, colour.side, colour.grey, colour.square) == (5, 8, False, True)
    assert (grey.count, grey.side, grey.grey, grey.square) == (4, 20, True, False)
    assert grey.classes == ("0", "1")
    assert look(str(tmp_path / "false.npy")).grey


def test_what_counts_as_packed(tmp_path):
    assert is_packed("a.npy") and is_packed("b/c.NPZ")
    assert not is_packed("a.zip")
    (tmp_path / "folder.npy").mkdir()
    assert not is_packed(str(tmp_path / "folder.npy"))


def test_the_head_of_an_npy_has_one_length():
    heads = [npy_header((count, 3, 64, 64)) for count in (1, 999, 123_456_789)]
    assert len({len(head) for head in heads}) == 1


def test_pictures_are_not_copied_into_memory(tmp_path):
    shape = (20_000, 3, 256, 256)  # 3.9 GB, sparse
    with open(tmp_path / "big.npy", "wb") as file:
        file.write(npy_header(shape))
        file.truncate(file.tell() + int(np.prod(shape)))
    if shutil.disk_usage(tmp_path).total < int(np.prod(shape)):
        pytest.skip("no sparse files of this size here")
    packed = read_packed(str(tmp_path / "big.npy"))
    assert packed.start == len(npy_header(shape))
    assert look(str(tmp_path / "big.npy")).count == 20_000


def test_images_made_of_a_pack_are_those_of_pillow(tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    np.save(tmp_path / "a.npy", np.stack([picture, picture]))
    small = Image.fromarray(picture).resize((8, 8), Image.Resampling.LANCZOS)
    assert (opened(tmp_path / "a.npy").rows[1] == np.asarray(small).transpose(2, 0, 1)).all()


def test_large_pictures_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jobs, "PIECE", 2 * 16 * 16 * 3)  # two pictures
    pictures = np.arange(7, dtype=np.uint8)[:, None, None, None] * 30 + np.zeros(
        (7, 16, 16, 3), np.uint8
    )
    np.savez_compressed(tmp_path / "a.npz", images=pictures)
    rows = open_dataset(str(tmp_path / "a.npz"), resolution=8, channels=3, progress=False).rows
    assert rows[:, 0, 0, 0].tolist() == [0, 30, 60, 90, 120, 150, 180]
