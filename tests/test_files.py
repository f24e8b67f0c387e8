"""Files are written whole, with the ordinary mode, never through a link and never over somebody else's."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment import files
from figment.errors import UserError
from figment.files import append_text, keep_others, locked, made_by_figment, replacing, write_text
from figment.sampling.film import save_film
from figment.sampling.pictures import Pictures, save_image


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "outside" / "victim.txt"
    path.parent.mkdir()
    path.write_text("precious")
    return path


def test_what_is_no_letter_is_written_out(tmp_path: Path):
    write_text(tmp_path / "a", "é \ud800 \udcff")
    assert (tmp_path / "a").read_bytes() == "é \\ud800 \\udcff".encode()


def test_a_file_is_on_the_disk_before_it_takes_the_old_ones_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_text(tmp_path / "a", "old")
    seen = []
    monkeypatch.setattr(os, "fsync", lambda file: seen.append((tmp_path / "a").read_text()))
    write_text(tmp_path / "a", "new")
    assert seen == ["old"]
    assert (tmp_path / "a").read_text() == "new"


def test_a_file_is_replaced_at_once_and_has_the_ordinary_mode(tmp_path: Path):
    former = os.umask(0o027)
    try:
        with replacing(tmp_path / "a") as temporary:
            temporary.unlink()
            temporary.touch(0o600)  # as the writer of safetensors makes it
            temporary.write_text("new")
            assert not (tmp_path / "a").exists()
    finally:
        os.umask(former)
    assert (tmp_path / "a").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_fails_leaves_the_old_file(tmp_path: Path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_links_are_replaced_and_never_followed(tmp_path: Path, victim: Path):
    (tmp_path / "a").symlink_to(victim)
    write_text(tmp_path / "a", "mine")
    assert not (tmp_path / "a").is_symlink() and victim.read_text() == "precious"
    for number, make in enumerate((os.symlink, os.link)):
        link = tmp_path / f"link {number}"
        make(victim, link)
        with pytest.raises(UserError, match="cannot be written"):
            append_text(link, "more")
        with pytest.raises(UserError, match="is a link or no file"), locked(link):
            pass
    os.mkfifo(tmp_path / "pipe")
    for write in (lambda path: append_text(path, "more"), lambda path: locked(path).__enter__()):
        with pytest.raises(UserError):
            write(tmp_path / "pipe")
    assert victim.read_text() == "precious"


def test_a_lock_is_held_by_one(tmp_path: Path):
    with locked(tmp_path / "lock"), pytest.raises(files.Locked), locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock") as alone:
        assert alone


def test_what_a_dead_process_left_is_tidied(tmp_path: Path):
    gone, here = tmp_path / ".a.4194304.ab.tmp", tmp_path / f".a.{os.getppid()}.ab.tmp"
    others = [tmp_path / name for name in (".notes.tmp", ".report.final.tmp", "a.tmp")]
    for path in (gone, here, tmp_path / ".old.4194304.tmp", *others):
        path.touch()
    files.tidy(tmp_path)
    assert {*tmp_path.iterdir()} == {here, *others}


def test_outputs_say_that_figment_made_them(tmp_path: Path):
    pictures = Pictures(np.zeros((4, 3, 8, 8), np.uint8))
    for ending in ("png", "jpg", "webp", "zip", "npz"):
        made = pictures.save(tmp_path / f"a.{ending}")
        assert made_by_figment(made), ending
        keep_others([made])
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    for ending in ("gif", "webp"):
        assert made_by_figment(save_film(frames, tmp_path / f"film.{ending}"))
    assert np.load(tmp_path / "a.npz")["images"].shape == (4, 3, 8, 8)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert len(archive.namelist()) == 4
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Software"] == files.MARK  # ty: ignore[unresolved-attribute]


def test_files_of_others_are_kept(tmp_path: Path):
    frames = [Image.new("RGB", (16, 16), "red")]
    for name, write in {
        "a.png": frames[0].save,
        "a.gif": frames[0].save,
        "a.npy": lambda path: Pictures(np.zeros((1, 3, 8, 8), np.uint8)).save(path),
        "a.html": lambda path: path.write_text("<title>mine</title>"),
        "a.zip": lambda path: path.write_bytes(b""),
        "folder": Path.mkdir,
        "link": lambda path: path.symlink_to("nowhere"),
    }.items():
        write(tmp_path / name)
        with pytest.raises(UserError, match=r"is there already.* --overwrite"):
            keep_others([tmp_path / name])
        keep_others([tmp_path / name], overwrite=True)
    keep_others([tmp_path / "new.png"])
    save_image(frames[0], tmp_path / "a.png", page=True)
    keep_others([tmp_path / "a.png"])
