"""Parquet: which column holds pictures and which labels, and their bytes in bounded memory."""

from __future__ import annotations

import io
import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from figment.data import glance, inspect, open_dataset, sources
from figment.data.sources import find_pictures
from figment.errors import UserError

pa = pytest.importorskip("pyarrow")
NAMES = ["dog", "../cat", "dog"]


def png(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", compress_level=0)
    return data.getvalue()


def write(path, columns: dict, features: dict | None = None, **options):
    from pyarrow import parquet

    table = pa.table(columns)
    if features:
        table = table.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": features}})}
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, **options)
    return path


def images(numbers: range) -> object:
    return pa.array([{"bytes": png(n), "path": f"{n}.png"} for n in numbers])


FEATURES = {"image": {"_type": "Image"}, "kind": {"_type": "ClassLabel", "names": NAMES}}


@pytest.fixture
def shards(tmp_path):
    """50 pictures of three classes in two files of row groups of 12, as the Hub has them."""
    for part, numbers in enumerate((range(30), range(30, 50))):
        columns = {"image": images(numbers), "kind": [n % 3 for n in numbers]}
        path = tmp_path / f"set/data/train-0000{part}-of-00002.parquet"
        write(path, columns, FEATURES, row_group_size=12)
    (tmp_path / "set/README.md").touch()
    return str(tmp_path / "set")


def test_a_folder_of_shards_with_the_hub_s_features(shards):
    found = find_pictures(shards)
    assert (len(found), found.classes) == (50, ("dog (0)", "../cat", "dog (2)"))
    assert found.labels.tolist() == [n % 3 for n in range(50)]
    assert found.files[31] == "data/train-00001-of-00002.parquet/1"
    assert found.structure == ("3 classes by the column kind",)
    for n in (0, 49, 13, 12, 11, 30, 29, 29):  # back and forth over row groups and files
        assert sources.read(found, n) == png(n)
    assert sources.read(found, 3, most=20) == png(3)[:20]
    part = sources.part(found, 20, 40)
    assert [sources.read(part, n) for n in range(20)] == [png(n) for n in range(20, 40)]
    assert len(find_pictures(shards, "none").classes) == 0


def test_it_is_packed_and_inspected_like_a_folder(shards, tmp_path):
    look = glance.look(shards)
    assert (look.name, look.count, look.side, look.grey) == ("set", 50, 32, False)
    dataset = open_dataset(shards, resolution=32, channels=3, progress=False)
    assert dataset.labels.tolist() == [n % 3 for n in range(50)]
    for n in range(50):
        pixels = np.asarray(Image.open(io.BytesIO(png(n))))
        np.testing.assert_array_equal(dataset.rows[n], pixels.transpose(2, 0, 1))
    assert inspect(shards, progress=False).classes == {"dog (0)": 17, "../cat": 17, "dog (2)": 16}
    again = open_dataset(shards, resolution=32, channels=3, progress=False)
    assert again.fingerprint == dataset.fingerprint


def test_each_row_is_decoded_once_in_a_pass(shards, monkeypatch):
    from figment.data import parquet

    rows, real = [], parquet.values

    def counting(*given):
        for value in real(*given):
            rows.append(value)
            yield value

    found = find_pictures(shards)
    monkeypatch.setattr(parquet, "values", counting)
    for start in range(0, 50, 7):
        sources.part(found, start, min(50, start + 7))
    assert rows == [png(n) for n in range(50)]


def test_plain_bytes_with_labels_in_words(tmp_path):
    kinds = pa.array([("cat", "dog", "cat", None)[n % 4] for n in range(40)]).dictionary_encode()
    path = write(
        tmp_path / "a.parquet",
        {"id": range(40), "jpg": [png(n) for n in range(40)], "label": kinds},
    )
    found = find_pictures(str(path))
    assert (found.classes, len(found), len(found.skipped)) == (("cat", "dog"), 30, 10)
    assert found.skipped[0] == ("a.parquet/3", "has no label")
    assert [sources.read(found, n) for n in (2, 3)] == [png(2), png(4)]
    assert "10 pictures without a label left out" in found.structure[1]


def test_of_several_columns_of_pictures_the_usual_one_is_taken_and_said(tmp_path):
    pictures = [png(n) for n in range(3)]
    path = write(tmp_path / "a.parquet", {"mask": pictures[::-1], "image": pictures})
    found = find_pictures(str(path))
    assert sources.read(found, 0) == png(0)
    assert found.structure == ("of the columns of pictures mask and image, image is taken",)
    path = write(
        tmp_path / "b.parquet", {"left": pictures, "right": pictures, "sound": [b"RIFF"] * 3}
    )
    with pytest.raises(UserError, match="several columns of pictures, left and right: keep one"):
        find_pictures(str(path))


def test_rows_without_bytes_are_listed(tmp_path):
    pictures = [{"bytes": None, "path": "../../etc/passwd"}, *images(range(2)).to_pylist()]
    path = write(tmp_path / "a.parquet", {"image": pa.array(pictures)})
    dataset = open_dataset(str(path), resolution=32, channels=3, progress=False)
    assert (len(dataset), dataset.skipped[0][0]) == (2, "a.parquet/0")
    assert "only the name of a file elsewhere" in dataset.skipped[0][1]


@pytest.mark.parametrize(
    ("columns", "answer"),
    [
        ({"x": [1, 2], "t": ["a", "b"]}, r"no column of pictures .*x \(number\), t \(text\)"),
        ({"image": [b"RIFF....WAVE", b"text"]}, "no column of pictures as files"),
        ({"image": pa.array([], pa.binary())}, "holds no rows"),
        ({"image": [png(0) + bytes(40 << 20)]}, "image unpacks to .* times its size"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, columns, answer):
    path = write(tmp_path / "a.parquet", columns, compression="zstd")
    with pytest.raises(UserError, match=answer):
        find_pictures(str(path))


def test_one_picture_repeated_without_end_is_not_laid_out(tmp_path):
    large = png(0) + np.random.default_rng(0).bytes(6 << 20)
    path = write(tmp_path / "a.parquet", {"image": [large] * 60})
    assert path.stat().st_size < 7 << 20
    found = find_pictures(str(path))
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    with pytest.raises(UserError, match="are too large: reduce them"):
        sources.part(found, 0, 60)
    assert tracemalloc.get_traced_memory()[1] < 150 << 20
    assert pa.total_allocated_bytes() - before < 50 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("damage", ["cut", "footer", "pages"])
def test_damaged_files_are_one_sentence(tmp_path, damage):
    path = write(tmp_path / "a.parquet", {"image": [png(n) for n in range(40)]}, compression="zstd")
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "footer":
        data[-8:-4] = b"\xff\xff\xff\x7f"
    else:
        data[4:3000] = bytes(2996)
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.parquet cannot be read as Parquet .*fetch it again$"):
        open_dataset(str(path), resolution=32, channels=3, progress=False)


def test_the_missing_extra_is_named(shards, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pip install 'figment-gan\[datasets\]'"):
        find_pictures(shards)


def test_columns_of_one_name_are_refused(tmp_path):
    from pyarrow import parquet

    table = pa.Table.from_arrays([images(range(2)), images(range(2))], ["image", "image"])
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet has several columns called image: rename"):
        find_pictures(str(tmp_path / "a.parquet"))
