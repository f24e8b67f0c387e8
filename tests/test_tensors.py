"""Files of tensors: what has changed since they were written is never taken for what was written."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from figment.records import Unreadable
from figment.tensors import open_tensors, read_note, read_shapes, read_tensors, write_tensors

TENSORS = {
    "weight": torch.arange(12.0).reshape(3, 4),
    "half": torch.ones(5, dtype=torch.bfloat16),
    "scalar": torch.tensor(3),
    "empty": torch.zeros(0, 2),
}


def test_what_is_written_is_read(tmp_path: Path):
    write_tensors(tmp_path / "a", TENSORS, {"images": 3})
    found, note = read_tensors(tmp_path / "a")
    assert note == read_note(tmp_path / "a") == {"images": 3}
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())
    assert read_shapes(tmp_path / "a") == {name: tuple(t.shape) for name, t in TENSORS.items()}


def test_what_stays_in_its_file_is_checked_as_well(tmp_path: Path):
    write_tensors(tmp_path / "a", TENSORS, {"images": 3})
    found, note, digest = open_tensors(tmp_path / "a")
    assert note == {"images": 3}
    assert digest == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())
    data = bytearray((tmp_path / "a").read_bytes())
    data[-7] ^= 16
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(Unreadable, match="its checksum is wrong"):
        open_tensors(tmp_path / "a")


def test_any_flipped_bit_is_found_or_changes_nothing(tmp_path: Path):
    write_tensors(tmp_path / "a", TENSORS, {"images": 3, "text": "ü"})
    sound, rng = (tmp_path / "a").read_bytes(), random.Random(0)
    found = 0
    for _ in range(200):
        damaged, place = bytearray(sound), rng.randrange(len(sound))
        damaged[place] ^= 1 << rng.randrange(8)
        (tmp_path / "b").write_bytes(damaged)
        try:
            tensors, note = read_tensors(tmp_path / "b")
        except Unreadable:
            found += 1
            continue
        assert note | {"images": 3, "text": "ü"} == note  # the checksum's own name may have changed
        assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
    assert found > 180


def test_a_changed_weight_is_said_to_have_changed(tmp_path: Path):
    write_tensors(tmp_path / "a", {"w": torch.zeros(64)}, {})
    data = bytearray((tmp_path / "a").read_bytes())
    data[-7] ^= 16
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(Unreadable, match="its checksum is wrong"):
        read_tensors(tmp_path / "a")


def test_files_of_before_have_no_checksum(tmp_path: Path):
    save_file({"w": torch.ones(3)}, tmp_path / "old", {"figment": '{"images": 7}'})
    assert read_tensors(tmp_path / "old")[1] == {"images": 7}


def test_other_files_are_told(tmp_path: Path):
    save_file({"w": torch.ones(3)}, tmp_path / "foreign")
    (tmp_path / "pickle").write_bytes(b"\x80\x04\x95" + b"x" * 99)
    (tmp_path / "folder").mkdir()
    for name in ("foreign", "pickle", "folder"):
        with pytest.raises(Unreadable):
            read_tensors(tmp_path / name)
        with pytest.raises(Unreadable):
            read_note(tmp_path / name)
