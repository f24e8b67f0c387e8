"""Places and flags: what cannot be written, or does nothing, is refused before any work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from figment.cli import main
from figment.errors import UserError
from figment.export.placing import refuse_taken


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("--to onnx --out a.zip", "an ONNX export is a folder: give --out DIR, or --out FILE.onnx"),
        ("--to onnx --out other.txt", "an ONNX export is a folder"),
        ("--to safetensors --out a", "is one file: give --out FILE.safetensors"),
        ("--to safetensors --out folder.safetensors", "is one file: give --out FILE"),
        ("--to web --out a.html", "a site is a folder: give --out DIR, not a.html"),
        ("--to web --out a --single-file", "is one file: give --out FILE.html"),
        ("--to web --out other.txt/site", "other.txt is no folder: choose another --out"),
        ("--to hub --out other.txt", "an upload for the Hub is a folder"),
        ("--to onnx --out a --single-file", "--single-file is for --to web: leave it out"),
        ("--to onnx --out a --webgpu", "--webgpu is for --to web and --to hub: leave it out"),
        ("--to safetensors --out a.safetensors --weights fp16", "--weights is for --to onnx"),
        ("--to web --out a --push me/cats", "--push is for --to hub: leave it out of --to web"),
        ("--to hub --out a --push cats", "'cats' is no name of a repository: write owner/name"),
        ("--to onnx --out a --neighbours", "--neighbours is for --to web and --to hub"),
        ("--to gif --out a", "--to is one of onnx, web, safetensors, hub, not 'gif'"),
        ("--to onnx", "cats --to onnx --out photos.onnx`"),
        ("--to web --out again", "would lie among the files of the run"),
        ("--to safetensors --out again/best.safetensors", "would lie among the files of the run"),
        ("--to onnx --out again/snapshots/a", "would lie among the files of the run"),
        ("again --to web --out a", "cats is named twice: name each run once"),
        ("again --to onnx --out a", "--to onnx is of one run, not of 2: export them one by one"),
        ("--to hub --out taken", "taken/README.md is there already, and not made by figment"),
        ("--to onnx --out taken", "taken/generator.onnx is there already, and not made by figment"),
        ("--to web --out taken", "taken/index.html is there already, and not made by figment"),
    ],
)
def test_refusals_come_before_any_work(cats, words, answer, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("other.txt").write_text("mine")
    Path("folder.safetensors").mkdir()
    Path("taken").mkdir()
    for name in ("README.md", "generator.onnx", "index.html"):
        Path("taken", name).write_text("mine")
    Path("again").symlink_to(cats)
    before = sorted(Path().rglob("*"))
    assert main(["export", str(cats), *words.split()]) == 2
    error = capsys.readouterr().err
    assert answer in error
    assert error.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_a_folder_within_a_run_is_no_part_of_it(cats):
    refuse_taken([cats / "site" / "index.html"], overwrite=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o500)
    with pytest.raises(UserError, match="cannot be written to: choose another --out"):
        refuse_taken([shut / "a" / "b.onnx"], overwrite=False)


def test_what_is_no_run_is_said(tmp_path, capsys):
    for path in (tmp_path / "nothing", tmp_path):
        assert main(["export", str(path), "--to", "onnx", "--out", str(tmp_path / "a")]) == 2
    error = capsys.readouterr().err
    assert "there is no run" in error
    assert "is not a run: it holds no recipe.json" in error


def test_a_picture_is_no_run(tmp_path, capsys):
    other = tmp_path / "cat.png"
    other.write_bytes(b"\x89PNG")
    words = ["export", str(other), "--to", "safetensors", "--out", str(tmp_path / "a.safetensors")]
    assert main(words) == 2
    assert "is not a readable snapshot" in capsys.readouterr().err


def test_files_of_others_are_replaced_only_when_told(cats, tmp_path):
    out = tmp_path / "cats.safetensors"
    out.write_text("mine")
    words = ["export", str(cats), "--to", "safetensors", "--out", str(out)]
    assert main(words) == 2
    assert out.read_text() == "mine"
    assert main([*words, "--overwrite"]) == 0
    assert main(words) == 0  # its own
    assert out.stat().st_size > 10_000
