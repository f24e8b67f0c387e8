"""Walks, truncation, evolution, projection and enlarged sets: what they draw, and what they refuse."""

from __future__ import annotations

import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from figment.cli import main
from figment.errors import UserError
from figment.launch import train
from figment.metrics.features import open_features
from figment.recipes import find
from figment.sampling.enlarge import COLUMNS, Made, enlarge, known
from figment.sampling.evolve import evolve
from figment.sampling.film import save_film
from figment.sampling.generator import Generator
from figment.sampling.latents import latents_of
from figment.sampling.project_files import read_target
from figment.sampling.truncate import threshold, truncate
from figment.sampling.walk import along, angle, slerp, stops, walk
from figment.tensors import read_tensors, write_tensors

CPU = torch.device("cpu")
FIELDS: dict[str, Any] = {"resolution": 32, "width": 4, "batch": 4, "tick": 8, "features": "small"}
FIELDS |= {"metric_every": 16, "metric_count": 64, "precision": "float32"}


class Tones(nn.Module):
    """Fakes [N, 3, 32, 32]: the first three numbers of what it is given, as one colour each."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return (z[:, :3, None, None] / 4 + self.weight).tanh().expand(-1, -1, 32, 32)


def tones(classes: int = 0) -> Generator:
    recipe = replace(find("dcgan")[1], resolution=32, latent=4)
    if classes:
        recipe = replace(recipe, conditioning="concat", classes=classes)
    return Generator(recipe, Tones(), [f"kind {number}" for number in range(classes)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    run = tmp_path_factory.mktemp("drawing") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        how = {"conditioning": "concat", "snapshot_every": 8, **FIELDS}
        return train("flowers:24", "dcgan", run=run, images=24, progress=False, **how).path


def test_slerp_turns_evenly_and_keeps_the_length():
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    third = slerp(a, b, torch.tensor([[1 / 3]]))
    assert third.tolist()[0] == pytest.approx([2 * math.cos(math.pi / 6), 1.0], abs=1e-6)
    longer = slerp(a, 2 * b, torch.tensor([[0.5]]))
    assert float(longer.norm()) == pytest.approx(3)
    assert torch.allclose(slerp(a, b, torch.zeros(1, 1)), a)
    assert torch.allclose(slerp(a, b, torch.ones(1, 1)), b, atol=1e-6)
    assert torch.allclose(slerp(a, a, torch.tensor([[0.3]])), a)


def test_a_walk_goes_past_its_stops_at_an_even_speed():
    latents = latents_of([1, 2, 3], 64)
    path, none = along(latents, 90, loop=True)
    assert path.shape == (90, 64) and none is None
    assert torch.allclose(path[0], latents[0], atol=1e-5)
    for stop in latents:
        assert float(angle(path, stop[None]).min()) < math.pi / 90
    turns = angle(path, path.roll(-1, 0))
    assert float(turns.max() / turns.median()) < 1.5  # corners are cut, nothing jumps
    straight, _ = along(latents, 7, loop=False)
    assert torch.allclose(straight[-1], latents[-1], atol=1e-4)


def test_a_walk_through_classes_mixes_them_at_a_fixed_latent():
    latents, labels = stops(tones(3), [5], ["kind 0", "kind 2"], None)
    assert torch.equal(latents[0], latents[1])
    path, mixed = along(latents, 5, loop=False, labels=labels)
    assert torch.allclose(path, latents[:1].expand(5, -1), atol=1e-4)
    assert mixed is not None
    assert mixed[:, 0].tolist() == pytest.approx([1, 0.75, 0.5, 0.25, 0], abs=1e-5)
    assert torch.allclose(mixed.sum(1), torch.ones(5))


@pytest.mark.parametrize(
    ("seeds", "classes", "words"),
    [
        ([1], [], "two stops"),
        ([1, 2, 3], ["kind 0", "kind 1"], "do not pair"),
        ([1, 2], ["kind 7"], "no class kind 7"),
        ([-1, 2], [], "0 or more"),
    ],
)
def test_walks_that_lead_nowhere(seeds: list[int], classes: list[str], words: str):
    with pytest.raises(UserError, match=words):
        stops(tones(3), seeds, classes, None)


@pytest.mark.parametrize("ending", ["gif", "webp", "mp4"])
def test_films(ending: str, tmp_path: Path):
    if ending == "mp4":
        pytest.importorskip("av")
    path = tmp_path / f"walk.{ending}"
    walk(tones(), path, seeds=[1, 2], frames=6)
    if ending == "mp4":
        import av

        with av.open(str(path)) as film:
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert len(frames) == 6 and frames[0].shape == (256, 256, 3)
        return
    with Image.open(path) as film:
        assert film.n_frames == 6 and film.size == (256, 256) and film.info["loop"] == 0
        first = np.asarray(film.convert("RGB")).astype(int)
    drawn = tones().sample(1, seed=1).array[0, :, 0, 0].astype(int)
    assert np.abs(first.mean((0, 1)) - drawn).max() < 6  # a palette, a lossy format


def test_films_that_cannot_be(tmp_path: Path):
    frames = [Image.new("RGB", (8, 8))]
    for bad, words in (("a.avi", "saved as"), ("a.gif", "fps")):
        with pytest.raises(UserError, match=words):
            save_film(frames, tmp_path / bad, fps=0 if words == "fps" else 10)
    with pytest.raises(UserError, match="one frame"):
        save_film([], tmp_path / "a.gif")


def test_truncation_has_a_row_for_each_value(tmp_path: Path):
    said = truncate(tones(), tmp_path / "t.png", values=[0.01, None], count=6)
    assert "truncated at 0.01, no truncation" in said
    with Image.open(tmp_path / "t.png") as picture:
        assert picture.height == 2 * 64  # pictures of 32 px are shown twice as large
        pixels = np.asarray(picture).astype(float)[:, -6 * 64 :]
    assert pixels[:64].std((0, 1)).max() < 1 < pixels[64:].std((0, 1)).min()
    assert threshold("none") is None and threshold("1.5") == 1.5
    for bad in ("0", "-1", "much", "nan", "inf"):
        with pytest.raises(UserError, match="above 0 or none"):
            threshold(bad)


def test_styles_are_truncated_to_shares_of_their_own(tmp_path: Path):
    recipe = find("stylegan2")[1].tiny()
    styles = Generator(recipe, recipe.build()["generator"])
    assert "truncated to 0.01, truncated to 0.5, no" in truncate(
        styles, tmp_path / "s.png", count=2
    )
    assert "truncated at 0.01, truncated at 1.5, no" in truncate(
        tones(), tmp_path / "t.png", count=2
    )


def test_truncated_latents_have_the_studys_deviations():
    for cut, std in (
        (0.01, 0.005773),
        (0.5, 0.28388),
        (1.0, 0.53956),
        (1.5, 0.74265),
        (2.0, 0.87963),
    ):
        latents = latents_of(range(400), 256, cut)
        assert float(latents.std()) == pytest.approx(std, rel=0.01)
        assert float(latents.abs().max()) <= cut


def test_points_do_not_evolve(tmp_path: Path):
    net = find("points")[1].tiny().networks()["generator"]
    drawn = Generator(find("points")[1].tiny(), net)
    with pytest.raises(UserError, match="points have no pictures"):
        evolve([(0, lambda: drawn)], tmp_path / "e.png", progress=False)


def test_a_truncated_picture_is_named(tmp_path: Path):
    path = tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    whole = read_target(path, tones().recipe)
    assert whole.shape == (3, 32, 32) and whole.abs().max() <= 1
    path.write_bytes(path.read_bytes()[:3_000])
    with pytest.raises(UserError, match=r"cut\.png cannot be read as a picture \(cut short"):
        read_target(path, tones().recipe)


def test_seeds_below_0_are_refused_before_anything_is_written(tmp_path: Path):
    generator, extractor = tones(2), open_features("small", CPU)
    trained_on = known(extractor, generator.sample(8).array, np.arange(8))
    for bad, words in (({"seed": -1}, "seed must be"), ({"truncation": 0.0}, "truncation must be")):
        with pytest.raises(UserError, match=words):
            enlarge(generator, tmp_path / "new", trained_on, per_class=2, **bad)
    with pytest.raises(UserError, match="seed must be 0 or more, not -5"):
        generator.sample(3, seed=-5)
    assert not (tmp_path / "new").exists()


def test_what_is_there_has_a_manifest_where_copies_were_all_there_was(tmp_path: Path, monkeypatch):
    generator, extractor = tones(2), open_features("small", CPU)
    trained_on = known(extractor, generator.sample(8).array, np.arange(8))

    def made(generator, name, *how):
        return (Made(np.zeros((3, 32, 32), np.uint8), n, 1, name == "kind 1") for n in range(99))

    monkeypatch.setattr("figment.sampling.enlarge._made", made)
    monkeypatch.setattr("figment.sampling.enlarge.PATIENCE", 2)
    with pytest.raises(UserError, match="of kind 1 are no copies"):
        enlarge(generator, tmp_path / "new", trained_on, per_class=4, copies=False)
    with open(tmp_path / "new" / "manifest.csv", newline="") as file:
        files = [line["file"] for line in csv.DictReader(file)]
    assert len(files) == 4 and files == sorted(
        path.relative_to(tmp_path / "new").as_posix() for path in tmp_path.rglob("*.png")
    )


def test_a_file_is_no_folder_for_what_is_found(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
):
    monkeypatch.setattr("figment.sampling.project.project", None)  # it is not looked for
    picture = tmp_path / "mine.png"
    Image.new("RGB", (32, 32)).save(picture)
    for out in (picture, picture / "deeper"):
        assert main(["project", str(trained), str(picture), "--out", str(out)]) == 2
        assert capsys.readouterr().err.startswith(f"figment: {picture} is a file, and --out")


def test_what_has_learned_nothing_is_said(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    tensors, note = read_tensors(trained / "snapshots" / "000000024.safetensors")
    for images, said in ((0, True), (24, False)):
        snapshot = tmp_path / f"{images}.safetensors"
        write_tensors(snapshot, tensors, note | {"images": images})
        assert main(["sample", str(snapshot), "--count", "1"]) == 0
        assert ("nothing has been trained yet (0 images)" in capsys.readouterr().out) == said


def test_a_strip_is_called_after_its_last_moment(trained: Path, tmp_path: Path, capsys):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    snapshots = sorted((run / "snapshots").iterdir())
    shutil.copy(snapshots[1], run / "best.safetensors")
    assert main(["evolve", str(run), "--count", "2"]) == 0
    assert "evolve-0-count2-at-24.png" in capsys.readouterr().out


def test_an_enlarged_set_says_where_each_picture_is_from(tmp_path: Path):
    generator, extractor = tones(2), open_features("small", CPU)
    reals = generator.sample(40, seed=1_000).array
    reals[0] = generator.sample(1, seed=3, label="kind 0").array[
        0
    ]  # seed 3 copies a training picture
    trained_on = known(extractor, reals, np.arange(len(reals)))
    enlarge(generator, tmp_path / "all", trained_on, per_class=6)
    with open(tmp_path / "all" / "manifest.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == COLUMNS and len(lines) == 12
    copied = {(line["class"], line["seed"]) for line in lines if line["copy"] == "1"}
    assert ("kind 0", "3") in copied
    for line in lines:
        with Image.open(tmp_path / "all" / line["file"]) as picture:
            drawn = generator.sample(1, seed=int(line["seed"]), label=line["class"]).array[0]
            assert np.array_equal(np.asarray(picture), drawn.transpose(1, 2, 0))
    said = enlarge(generator, tmp_path / "new", trained_on, per_class=6, copies=False)
    assert "left out" in said
    assert not (tmp_path / "new" / "kind 0" / "000003.png").exists()
    with pytest.raises(UserError, match="new folder"):
        enlarge(generator, tmp_path / "new", trained_on, per_class=6)


def test_the_commands(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    done = """
        walk RUN --seeds 1 2 --frames 4 --out w.gif
        walk RUN --seeds 1 --classes dandelion marigold --frames 4 --out c.webp
        truncate RUN --values 0.01 none --count 3 --out t.png
        evolve RUN --count 3 --out e.png
        evolve RUN --count 3 --class marigold --out e.gif
        sample RUN --per-class 2 --out more
        sample RUN --count 1 --out one
        project RUN one/000000.png --steps 2 --starts 1 --features small --out p
    """
    out = tmp_path
    monkeypatch.chdir(out)
    monkeypatch.setattr("figment.sampling.project.CANDIDATES", 64)
    for line in done.strip().splitlines():
        assert main([str(trained) if word == "RUN" else word for word in line.split()]) == 0, line
    assert {path.name for path in out.iterdir()} >= {"w.gif", "c.webp", "t.png", "e.png", "e.gif"}
    assert main(["sample", str(trained), "--count", "4", "--format", "wds", "--out", "set"]) == 0
    assert main(["sample", str(trained), "--count", "1", "--out", "set"]) == 2
    assert not list((out / "set").glob("*.png"))
    assert sorted(path.name for path in (out / "more").iterdir()) == [
        "dandelion",
        "manifest.csv",
        "marigold",
    ]
    assert json.loads((out / "p" / "000000.json").read_text())["class"] in ("dandelion", "marigold")
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["walk", "--out", "w.avi"], "FILE.gif"),
        (["walk", "--frames", "1", "--out", "w.gif"], "2 frames"),
        (["truncate", "--values", "x", "--out", "t.png"], "above 0 or none"),
        (["truncate", "--values", "1e39"], "at most 1e+06, not 1e39"),
        (["sample", "--truncation", "1e39"], "above 0 and at most 1e+06, not 1e+39"),
        (["sample", "--count", "2", "--per-class", "2", "--out", "pc"], "leave --count out"),
        (
            ["sample", "--mix", "1", "--steps", "3", "--out", "t.png"],
            "leave --format, --shards, --steps",
        ),
        (["sample", "--out", ""], "--out is empty: give a path"),
        (["sample", "--out="], "--out is empty: give a path"),
        (["truncate", "--out", "t.txt"], "FILE.png"),
        (["evolve", "--out", "e.txt"], "FILE.png"),
        (["evolve", "--out", "e.png", "--fps", "7"], "leave --fps out"),
        (["project", "mine.png", "--out", "p.png"], "p.png names a picture, and --out the folder"),
        (["sample", "--per-class", "2"], "--out DIR"),
        (["sample", "--no-copies"], "--per-class"),
        (["sample", "--mix"], "--mix takes the seeds of the columns"),
        (["walk", "--seeds", "1", str(2**63), "--out", "w.gif"], f"below {2**63}, not {2**63}"),
    ],
)
def test_mistakes_are_one_line(
    trained: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert main([words[0], str(trained), *words[1:]]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint and complaint.count("\n") == 1


def test_a_picture_that_is_not_there(trained: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["project", str(trained), "nowhere.png"]) == 2
    assert "no such picture" in capsys.readouterr().err
