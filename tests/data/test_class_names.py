"""Names from data become paths and lines of text: whatever they are, one part of a path, one line."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from figment.data.names import file_names
from figment.data.printing import clean, listed, readable

TERRIBLE = [
    *(
        "T-shirt/top",
        "../Bag",
        "..",
        ".",
        "",
        " ",
        "a\nb",
        "a\0b",
        "\x1b[31m",
        "con",
        "NUL.txt",
        "a:b",
    ),
    *(
        "x" * 300,
        "x" * 301,
        "日" * 300,
        ".hidden",
        "Thumbs.db",
        "end. ",
        "C:\\Windows",
        "~",
        "\udcff",
    ),
]


def test_ordinary_names_stay_and_terrible_ones_are_one_part_of_a_path(tmp_path):
    assert file_names(["cat", "Épine noire", "日本", "3.5 mm"]) == [
        "cat",
        "Épine noire",
        "日本",
        "3.5 mm",
    ]
    found = file_names(TERRIBLE)
    assert found[:4] == ["T-shirt_top", "_Bag", "class", "class-2"]
    for name in found:
        folder = tmp_path / name
        folder.mkdir()
        assert folder.parent == tmp_path and not name.startswith(".")
    assert len({name.casefold() for name in found}) == len(TERRIBLE)
    assert {"con_", "NUL.txt_", "Thumbs.db_"} <= {*found}


def test_names_that_become_equal_are_told_apart():
    assert file_names(["a/b", "a_b", "A_B", "a_b-2"]) == ["a_b", "a_b-2", "A_B-3", "a_b-2-2"]


@given(st.lists(st.text(max_size=300), unique=True, max_size=8))
def test_any_names_at_all(names):
    found = file_names(names)
    assert len({name.casefold() for name in found}) == len(names)
    for name in found:
        assert Path(name).name == name and len(name.encode()) < 140
        assert not set(name) & set('/\\:*?"<>|\0\n\x1b')


@given(st.text())
def test_what_is_printed_is_one_line_without_commands(text):
    shown = readable(text)
    assert clean(shown) == shown and len(shown) <= 200
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)


def test_different_names_stay_different():
    names = ["a\x1b", "a\x07", "x" * 300, "x" * 299 + "y", "\udcff", "\udcfe"]
    assert len({readable(name) for name in names}) == len(names)
    assert readable("\x1b[31m\udcff\u202e") == "\\x1b[31m\\xff\\u202e"
    assert (
        readable("\ud800 \udcff \udfff") == "\\ud800 \\xff \\udfff"
    )  # halves, which JSON can spell


def test_many_names_are_summed_up():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([*"abcdefghijklmn"]) == "a, b, c and 11 more"
