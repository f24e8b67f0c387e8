"""Shards: their pictures, seeds and classes; the same bytes by whomever; kills; what is refused."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from figment import mesh
from figment.cli import main
from figment.data import open_dataset
from figment.errors import UserError
from figment.files import write_json
from figment.launch import train
from figment.recipes import find
from figment.sampling.archives import ARCHIVES, is_whole
from figment.sampling.drawn import Row, drawn
from figment.sampling.generator import Generator
from figment.sampling.shards import MANIFEST, Order, ordered, refuse_shards, write_shards
from two_processes import as_two, command


class Mixed(nn.Module):
    """Fakes [N, 3, 8, 8] of latents and one-hot classes, each changed by its batch and the threads.

    Real networks change by rounding alone, which shows in one pixel of a million.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(inputs, 3 * 64)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        shared = z.mean() + torch.get_num_threads() / 10
        return (self.layer(z.flatten(1)) + shared).tanh().view(-1, 3, 8, 8)


def mixed(classes: int = 2) -> Generator:
    recipe = replace(find("dcgan")[1], resolution=8, latent=16)
    if classes:
        recipe = replace(recipe, conditioning="concat", classes=classes)
    return Generator(recipe, Mixed(16 + classes), [f"kind {number}" for number in range(classes)])


def order(out: Path, form: str = "wds", count: int = 200, **how) -> Order:
    usual = {"shards": 3, "seed": 5, "label": None, "truncation": None, "weights": "ab" * 32}
    return ordered(out, form=form, count=count, **{**usual, **how})


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_parts_are_whole_batches_where_there_are_enough():
    parts = [Row(range(5, 205)).part(3, number) for number in range(3)]
    assert parts == [range(5, 69), range(69, 133), range(133, 205)]
    few = [Row(range(10)).part(3, number) for number in range(3)]
    assert few == [range(3), range(3, 6), range(6, 10)]


@pytest.mark.parametrize("form", ["wds", "parquet"])
def test_shards_hold_the_pictures_of_the_seeds_with_their_classes(tmp_path: Path, form: str):
    source = mixed()
    said = write_shards(source, order(tmp_path, form), progress=False)
    assert said == f"{tmp_path}: 200 samples in 3 shards, seeds 5 to 204, manifest.json"
    ending = {"wds": "tar", "parquet": "parquet"}[form]
    names = [f"{number:05d}.{ending}" for number in range(3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names, MANIFEST]
    samples = [s for name in names for s in ARCHIVES[form].read(tmp_path / name)]
    assert [s.seed for s in samples] == list(range(5, 205))
    assert [s.label for s in samples[:4]] == ["kind 1", "kind 0", "kind 1", "kind 0"]
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(s.png))) for s in samples])
    alone = source.sample(200, seed=5).array.transpose(0, 2, 3, 1)
    assert np.abs(pixels.astype(int) - alone).max() <= 1


def test_a_tar_is_a_webdataset(tmp_path: Path):
    write_shards(mixed(0), order(tmp_path, count=2, shards=1, seed=7), progress=False)
    with tarfile.open(tmp_path / "00000.tar") as archive:
        members = archive.getmembers()
        assert [m.name for m in members] == [
            f"00000{n}.{e}" for n in (7, 8) for e in ("png", "json")
        ]
        note = archive.extractfile("000008.json")
        assert note is not None and json.load(note) == {"seed": 8, "class": None}
        assert {(m.mtime, m.uid, m.uname) for m in members} == {(0, 0, "")}


def test_parquet_is_data_to_train_on(tmp_path: Path):
    write_shards(mixed(), order(tmp_path / "set", "parquet"), progress=False)
    dataset = open_dataset(str(tmp_path / "set"), resolution=8, progress=False)
    assert len(dataset.rows) == 200 and dataset.classes == ("kind 0", "kind 1")
    shares = np.bincount(dataset.labels)
    assert shares.tolist() == [100, 100]


@pytest.mark.parametrize("form", ["wds", "parquet"])
def test_cut_short_and_damaged_shards_are_drawn_again(tmp_path: Path, form: str, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    write_shards(mixed(), order(whole, form), progress=False)
    source, batches = mixed(), []
    draw = source.draw

    def killed(*args, **how):
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(1)
        return draw(*args, **how)

    monkeypatch.setattr(source, "draw", killed)
    with pytest.raises(KeyboardInterrupt):
        write_shards(source, order(broken, form), progress=False)
    there = sorted(path.name for path in broken.iterdir())
    assert (
        len(there) == 3 and there[2] == MANIFEST
    )  # the third was begun, and nothing of it is left
    second = broken / there[1]
    content = bytearray(second.read_bytes())
    content[len(content) // 3] ^= 1
    second.write_bytes(content)
    assert not is_whole(second, ARCHIVES[form], range(69, 133))
    said = write_shards(mixed(), order(broken, form), progress=False)
    assert "1 of them there already" in said
    assert bytes_of(broken) == bytes_of(whole)


def test_a_shard_that_lacks_its_end_is_not_whole(tmp_path: Path):
    write_shards(mixed(0), order(tmp_path, count=64, shards=1), progress=False)
    path = tmp_path / "00000.tar"
    content = path.read_bytes()
    assert is_whole(path, ARCHIVES["wds"], range(5, 69))
    assert not is_whole(path, ARCHIVES["wds"], range(5, 70))
    assert not is_whole(path, ARCHIVES["wds"], range(5, 68))
    for length in (0, 100, len(content) // 2, len(content) - 1024):
        path.write_bytes(content[:length])
        assert not is_whole(path, ARCHIVES["wds"], range(5, 69)), length


def test_the_same_bytes_by_any_number_of_threads_and_shards():
    row = Row(range(3, 203))
    found = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        found.append(list(drawn(mixed(), row, row.seeds)))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(1)
    parts = [s for n in range(7) for s in drawn(mixed(), row, row.part(7, n))]
    odd = [*drawn(mixed(), row, range(3, 90)), *drawn(mixed(), row, range(90, 203))]
    assert found[0] == found[1] == parts == odd


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"seed": 6}, r"--seed 5, not --seed 6"),
        ({"count": 100}, r"--count 200, not --count 100"),
        ({"label": "kind 1"}, r"no --class, not --class kind 1"),
        ({"truncation": 0.5}, r"--truncation"),
        ({"shards": 2}, r"--shards 3, not --shards 2"),
        ({"form": "parquet"}, r"--format wds"),
        ({"weights": "cd" * 32}, r"weights abababababab"),
    ],
)
def test_another_commands_shards_are_refused(tmp_path: Path, changed: dict, said: str):
    write_shards(mixed(), order(tmp_path), progress=False)
    before = bytes_of(tmp_path)
    with pytest.raises(UserError, match=said):
        write_shards(mixed(), order(tmp_path, **changed), overwrite=True, progress=False)
    assert bytes_of(tmp_path) == before


def test_no_loose_pictures_beside_shards(tmp_path: Path):
    refuse_shards(tmp_path)
    refuse_shards(tmp_path / "not there.png")
    write_shards(mixed(), order(tmp_path), progress=False)
    with pytest.raises(UserError, match="holds a set of shards, finished or not"):
        refuse_shards(tmp_path)


def test_files_of_others_stay(tmp_path: Path):
    (tmp_path / "00001.tar").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"00001\.tar without a manifest\.json"):
        write_shards(mixed(), order(tmp_path), progress=False)
    write_json(tmp_path / MANIFEST, {"mine": True})
    (tmp_path / "00001.tar").unlink()
    with pytest.raises(UserError, match=r"manifest.json is there already.*--overwrite"):
        write_shards(mixed(), order(tmp_path), progress=False)
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]
    (tmp_path / "00001.tar").write_bytes(b"mine")
    assert "200 samples" in write_shards(mixed(), order(tmp_path), overwrite=True, progress=False)


def test_what_cannot_be_drawn_is_refused_before_anything_is_written(tmp_path: Path):
    for changed, said in [
        ({"count": 0}, "count must be 1 to 1,000,000,000, not 0"),
        ({"shards": 201}, "shards must be 1 to 200"),
        ({"shards": 0}, "shards must be 1 to 200"),
        ({"seed": 2**63}, "seed must be 0 to"),
    ]:
        with pytest.raises(UserError, match=said):
            order(tmp_path / "out", **changed)
    for changed, said in [({"label": "cat"}, "no class cat"), ({"truncation": -1.0}, "truncation")]:
        with pytest.raises(UserError, match=said):
            write_shards(mixed(), order(tmp_path / "out", **changed), progress=False)
    assert not (tmp_path / "out").exists()
    assert order(tmp_path, seed=2**63 - 200).seeds(2).stop == 2**63


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    run = tmp_path_factory.mktemp("shards") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        how = {"resolution": 32, "width": 4, "batch": 4, "features": "small"}
        return train("flowers:16", "dcgan", run=run, images=8, progress=False, **how).path


def test_two_processes_write_what_one_does(trained: Path, tmp_path: Path, capfd):
    words = ["sample", str(trained), "--count", "300", "--shards", "4", "--out"]
    assert main([*words, str(tmp_path / "one")]) == 0
    said = capfd.readouterr().out.replace("/one:", "/two:")
    both = as_two(partial(command, [*words, str(tmp_path / "two")]), tmp_path)
    assert both == ((0, said), (0, ""))  # said once
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")


def test_a_folder_of_files_is_shared_by_processes(trained: Path, tmp_path: Path, monkeypatch):
    words = ["sample", str(trained), "--count", "130", "--out"]
    assert main([*words, str(tmp_path / "one")]) == 0
    for name in ("start", "stop", "barrier"):
        monkeypatch.setattr(mesh, name, lambda *_: None)
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("WORLD_SIZE", "2")
        assert main([*words, str(tmp_path / "two")]) == 0
        assert len(list((tmp_path / "two").iterdir())) == {"0": 64, "1": 130}[rank]
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")


def test_large_counts_become_shards(trained: Path, tmp_path: Path, monkeypatch, capfd):
    from figment.sampling import sample

    monkeypatch.setattr(sample, "SINGLE", 20)
    assert main(["sample", str(trained), "--count", "21", "--out", str(tmp_path / "many")]) == 0
    assert sorted(bytes_of(tmp_path / "many")) == ["00000.tar", MANIFEST]
    assert capfd.readouterr().out.endswith("21 samples in 1 shard, seeds 0 to 20, manifest.json\n")
    words = ["sample", str(trained), "--count", "21", "--format", "png", "--out"]
    assert main([*words, str(tmp_path / "files")]) == 0
    assert len(bytes_of(tmp_path / "files")) == 21


def test_a_count_that_is_not_given_is_the_usual_one(trained: Path, tmp_path: Path, capfd):
    words = ["--format", "wds", "--shards", "2", "--out", str(tmp_path / "shards")]
    assert main(["sample", str(trained), *words]) == 0
    assert "64 samples in 2 shards" in capfd.readouterr().out


@pytest.mark.parametrize(
    "words, said",
    [
        (["--format", "wds"], "--format and --shards are of a folder: give --out DIR"),
        (["--shards", "2", "--out", "grid.png"], "--format and --shards are of a folder"),
        (["--shards", "2", "--format", "png", "--out", "d"], "choose --format wds or parquet"),
        (
            ["--shards", "2", "--per-class", "3", "--out", "d"],
            "leave --format, --shards and --steps out",
        ),
    ],
)
def test_shards_that_cannot_be_are_refused(trained: Path, words: list, said: str, capfd):
    assert main(["sample", str(trained), *words]) == 2
    assert said in capfd.readouterr().err
