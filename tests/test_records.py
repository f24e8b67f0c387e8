"""JSON that anybody may have written is read as far as it makes sense, in bounded time and memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from figment import records
from figment.errors import UserError
from figment.records import Unreadable, number, read_json, read_lines, read_object


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no JSON"),
        (b'{"a": ', "no JSON"),
        (bytes(range(256)), "no JSON"),
        (b"[" * 200_000, "too deep"),
        (b'{"a": ' * 200_000, "too deep"),
        (b"9" * 5_000, "no JSON"),
        (b"[1]", "no JSON object"),
        (b"null", "no JSON object"),
    ],
)
def test_what_is_no_object_is_told(tmp_path: Path, content: bytes, reason: str):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        read_object(tmp_path / "a")


def test_only_real_files_of_bounded_size_are_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", records.LARGEST + 1)
    for name in ("pipe", "device", "loop", "large", "."):
        with pytest.raises(Unreadable):
            read_json(tmp_path / name)
    os.truncate(tmp_path / "large", records.LARGEST_LINES + 1)
    with pytest.raises(Unreadable, match="more than figment writes"):
        read_lines(tmp_path / "large")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none")


def test_lines_that_say_nothing_are_counted_but_not_a_torn_last_one(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"images": 1}\n17\n\n{"images": "x"}\n{"images": 1e999}\n{"images": 3}\n')
    assert read_lines(path) == ([{"images": 1}, {"images": 3}], 3)
    for torn in (b'{"images": 4, "sc', b"\xff\xfe", b"7", b'{"images": 4, "a": "\xc3'):
        path.write_bytes(b'{"images": 1}\n' + torn)
        assert read_lines(path) == ([{"images": 1}], 0)
    assert read_lines(tmp_path / "none") == ([], 0)


def test_numbers():
    assert number(3) == 3.0 and number(0.5) == 0.5
    odd = (True, None, "3", [], float("nan"), float("inf"), 10**400)
    assert [number(value) for value in odd] == [None] * 7


def test_a_message_is_one_line_that_steers_no_terminal():
    text = str(UserError("a\nb \x1b[2Jc\x07\u202e d"))
    assert text.isprintable() and text.startswith("a b ")
