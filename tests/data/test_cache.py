from __future__ import annotations

import errno
import shutil
import threading
import time
from pathlib import Path

import pytest

from figment.data import cache
from figment.data.cache import cache_root, folder_for, key_of, read_card, write_card
from figment.errors import UserError


def filled(folder: Path) -> None:
    (folder / "data").write_text("whole")
    write_card(folder, {"n": 1})


def test_where_the_cache_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path / "mine"))
    assert cache_root() == tmp_path / "mine"
    monkeypatch.delenv("FIGMENT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "figment"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "figment"


def test_keys_depend_on_every_part():
    assert key_of("a", 1) == key_of("a", 1)
    assert len({key_of("a", 1), key_of("a", 2), key_of("b", 1), key_of("a", "1")}) == 4


def test_a_folder_is_built_once(own_cache):
    folder = folder_for("k", filled, needed=1)
    assert folder == own_cache / "k"
    assert read_card(folder) == {"n": 1}
    assert folder_for("k", lambda _: pytest.fail("built again"), needed=1) == folder


def test_whoever_comes_second_waits_for_the_first():
    builds = []

    def slowly(folder: Path) -> None:
        builds.append(folder)
        time.sleep(0.2)
        filled(folder)

    threads = [threading.Thread(target=folder_for, args=("k", slowly), kwargs={"needed": 1})]
    threads += [threading.Thread(target=folder_for, args=("k", slowly), kwargs={"needed": 1})]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1
    assert read_card(cache_root() / "k") == {"n": 1}


def test_without_locks_the_work_is_done_twice_and_nothing_breaks(monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr("fcntl.flock", no_locks)

    def overtaken(folder: Path) -> None:
        filled(folder)
        shutil.copytree(folder, cache_root() / "k")  # another process finishes first

    assert read_card(folder_for("k", overtaken, needed=1)) == {"n": 1}
    assert not list(cache_root().glob("*.partial"))


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, UserError])
def test_a_build_that_fails_leaves_nothing(error):
    def interrupted(folder: Path) -> None:
        (folder / "data").write_text("half")
        raise error

    with pytest.raises(error):
        folder_for("k", interrupted, needed=1)
    assert [path.name for path in cache_root().iterdir()] == [".k.lock"]


def test_what_a_dead_process_left_is_swept_away():
    for remains in ("k", "k.x1.partial"):
        (cache_root() / remains).mkdir()
        (cache_root() / remains / "images.npy").write_text("half")
    (cache_root() / "other.x1.partial").mkdir()
    folder = folder_for("k", filled, needed=1)
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "checksums.json", "data"]
    left = sorted(path.name for path in cache_root().iterdir())
    assert left == [".k.lock", "k", "other.x1.partial"]


def test_a_disk_too_small_is_refused_before_the_work(own_cache):
    needed = shutil.disk_usage(own_cache).free * 2
    megabytes = f"{round(needed / 1e6):,} MB"
    with pytest.raises(UserError, match="set FIGMENT_CACHE to a folder on another") as caught:
        folder_for("k", lambda _: pytest.fail("begun"), needed=needed)
    assert megabytes in str(caught.value) and str(own_cache) in str(caught.value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_a_user_error(number, own_cache):
    def fills(folder: Path) -> None:
        raise OSError(number, "full")

    with pytest.raises(UserError, match="is full: packing needs about 7 MB there"):
        folder_for("k", fills, needed=7_000_000)
    assert not list(own_cache.glob("k*"))


def test_other_errors_of_the_disk_are_not_hidden():
    def breaks(folder: Path) -> None:
        raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        folder_for("k", breaks, needed=1)


def test_a_cache_that_cannot_be_written_is_replaced_for_this_process(monkeypatch, tmp_path, capsys):
    cache._scratch.cache_clear()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path / "file" / "cache"))
    folder = folder_for("k", filled, needed=1)
    assert read_card(folder) == {"n": 1}
    assert tmp_path not in folder.parents
    note = capsys.readouterr().err
    assert "cannot be written" in note and str(folder.parent) in note and "FIGMENT_CACHE" in note
    assert folder_for("k", lambda _: pytest.fail("built again"), needed=1) == folder
    assert capsys.readouterr().err == ""
    shutil.rmtree(folder.parent)
    cache._scratch.cache_clear()


def test_a_finished_folder_is_read_even_where_nothing_can_be_written(monkeypatch):
    folder_for("k", filled, needed=1)
    monkeypatch.setattr(cache, "_writable", lambda root: pytest.fail("asked to write"))
    assert read_card(folder_for("k", filled, needed=1)) == {"n": 1}
