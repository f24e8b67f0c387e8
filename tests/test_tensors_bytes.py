"""Equal tensors and notes are equal files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from figment.records import Unreadable
from figment.tensors import read_note, read_tensors, write_tensors

NOTE = {"images": 3, "fields": {"width": 8, "rate": 2e-4}, "name": "é"}


def test_the_same_is_the_same_to_the_byte(tmp_path: Path):
    for number in range(8):
        write_tensors(tmp_path / f"{number}", {"b": torch.ones(2), "a": torch.zeros(3)}, NOTE)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert read_note(tmp_path / "0") == NOTE and read_tensors(tmp_path / "0")[1] == NOTE


@pytest.mark.parametrize(("old", "new"), [(b"images", b"imagez"), (b"0.0002", b"0.0003")])
def test_a_change_of_the_note_is_noticed(tmp_path: Path, old: bytes, new: bytes):
    write_tensors(tmp_path / "a", {"a": torch.zeros(3)}, NOTE)
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes().replace(old, new))
    with pytest.raises(Unreadable, match="its checksum is wrong"):
        read_tensors(tmp_path / "a")
