"""The command line as a user meets it: help, answers to mistakes in one line, exit codes."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import figment
from figment.cli import COMMANDS, main
from figment.fields import fields_of
from figment.launch import train
from figment.recipes import SYSTEMS, find
from figment.recipes.listing import _declared, listing

SMALL = ["--resolution", "32", "--width", "4", "--batch", "4", "--tick", "8", "--images", "8"]
SMALL += ["--metric-every", "8", "--features", "small", "--metric-count", "64"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must fail; return its one line."""
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("figment:")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    assert out == ""
    return lines[0]


def test_the_version_is_the_same_everywhere(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"figment {figment.__version__}\n"


def test_help_lists_every_command(capsys):
    assert main([]) == main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys):
    assert main([*command.split(), "--help"]) == 0
    assert f"usage: figment {command}" in capsys.readouterr().out


def test_help_of_a_recipe_lists_its_fields(capsys):
    assert main(["train", "--recipe", "C1", "--help"]) == 0
    out = capsys.readouterr().out
    assert "--hidden N ..." in out and "--real-target" in out and "(default: 2e-05)" in out
    assert "figment train --recipe cats-mlp-grey --help all" in out and "--lecam" not in out
    assert main(["train", "--recipe", "C1", "--help", "all"]) == 0
    out = capsys.readouterr().out
    flags = [f"--{field.replace('_', '-')}" for field in fields_of(find("C1")[1])]
    assert all(f"\n  {flag} " in out or f"\n  {flag}, " in out for flag in flags)


def test_data_alone_says_what_it_can_do(capsys):
    for words in (["data"], ["data", "--help"]):
        assert main(words) == 0
        said = capsys.readouterr().out
        assert "figment data inspect DATA" in said and "figment data pack DATA --out FILE" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "there is no command trian. Did you mean train?"),
        (["data", "inspec", "x"], "no command data inspec. Did you mean data inspect?"),
        (["train"], "DATA"),
        (["train", "nowhere"], "nowhere"),
        (["train", "flowers", "--widht", "3"], "no flag --widht. Did you mean --width?"),
        (["train", "flowers", "--batch", "many"], "--batch takes a whole number: --batch N"),
        (["train", "flowers", "--objective", "hing"], "not 'hing'. Did you mean hinge?"),
        (["train", "flowers", "--betas", ".5"], "--betas takes 2 numbers: --betas X X"),
        (["train", "flowers", "--recipe", "dcgen"], "no recipe dcgen. Did you mean dcgan?"),
        (["train", "flowers", "--recipe", "nothing:HERE"], "cannot be imported"),
        (["train", "flowers", "--recipe", "points"], "this recipe is for 2-D points"),
        (["train", "ring", "--recipe", "dcgan"], "ring holds points; choose --recipe points"),
        (
            ["train", "flowers", "--resolution", "48"],
            "power of two from 32 to 1024, not 48: try 32",
        ),
        (
            ["train", "flowers", "--minutes", "1", "--epochs", "2"],
            "Give only one of --images, --minutes",
        ),
        (["train", "flowers", "--minutes", "0"], "minutes must be above 0"),
        (["train", "flowers", "--minutes", "nan"], "minutes must be above 0, not nan"),
        (["train", "ring", "--resolution", "32"], "--resolution has no effect on points"),
        (["train", "--images", "9", "ring", "--mirror"], "--mirror works on pictures only"),
        (["train", "flowers", "--recipe", "none.json"], "none.json is no readable recipe"),
        (["train", "flowers", "--device", "tpu"], "no device tpu: use --device cpu"),
        (["sample", "nowhere"], "there is no run nowhere"),
        (["sample", "\x1b[31m\n" + 300 * "x"], r"figment: \x1b[31m\x0axx"),
        (["sample", 300 * "x"], "File name too long: give a shorter one"),
        (["resume", "."], "is not a run"),
        (["report", "."], "is not a run"),
        (["recipes", "C99"], "no recipe C99"),
        (["data", "inspect", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_answered_in_one_line(words, message, capsys, here):
    assert message in complaint(capsys, *words)
    assert not list(here.iterdir()), "something was left behind"


def test_empty_folder(capsys, here):
    (here / "photos").mkdir()
    assert "photos" in complaint(capsys, "train", "photos")


@pytest.mark.parametrize(
    ("name", "content"),
    [("text.png", b"hello"), ("cut.png", None), ("bomb.png", None)],
)
def test_nothing_readable(name: str, content: bytes | None, capsys, here):
    (here / "photos").mkdir()
    path = here / "photos" / name
    if content is None:
        Image.new("RGB", (64, 64), "red").save(path)
        content = path.read_bytes()
        if name == "bomb.png":
            content = content[:16] + (60_000).to_bytes(4) * 2 + content[24:]
        else:
            content = content[:60]
    path.write_bytes(content)
    assert name in complaint(capsys, "train", "photos", *SMALL)
    assert not (here / "runs").exists() or not list((here / "runs").iterdir())


def test_broken_zip(capsys, here):
    (here / "photos.zip").write_bytes(b"PK\x03\x04 not a zip")
    assert "photos.zip" in complaint(capsys, "train", "photos.zip")


def test_every_kind_of_picture_trains(capsys, here):
    """RGBA, 16-bit, CMYK, animated, palette, mixed sizes, one pixel, a broken file, a class of one."""
    rng = np.random.default_rng(0)
    for kind in ("one", "many"):
        (here / "photos" / kind).mkdir(parents=True)
    many = here / "photos" / "many"
    pixels = [rng.integers(0, 256, (40, 60, 4), dtype=np.uint8) for _ in range(4)]
    Image.fromarray(pixels[0]).save(many / "rgba.png")
    Image.fromarray(rng.integers(0, 65536, (50, 30)).astype(np.uint16)).save(many / "deep.png")
    Image.fromarray(pixels[1]).convert("RGB").convert("CMYK").save(many / "cmyk.jpg")
    frames = [Image.fromarray(p).convert("RGB") for p in pixels]
    frames[0].save(many / "animated.gif", save_all=True, append_images=frames[1:])
    frames[1].convert("P").resize((500, 300)).save(many / "palette.png")
    frames[2].resize((1, 1)).save(many / "dot.png")
    (many / "text.png").write_text("no picture")
    frames[3].save(here / "photos" / "one" / "only.png")
    assert main(["train", "photos", *SMALL, "--run", "run"]) == 0
    err = capsys.readouterr().err
    assert "left out" in err and "figment data inspect" in err
    machine = json.loads((here / "run" / "machine.json").read_text())
    assert machine["data"]["count"] == 6
    assert machine["data"]["skipped"] == 2
    assert machine["data"]["classes"] == ["many", "one"]
    assert main(["data", "inspect", "photos"]) == 0
    assert "text.png" in capsys.readouterr().out


def test_read_only_folder(capsys, here, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert "cannot be written" in complaint(capsys, "train", "flowers:8", *SMALL)


def test_full_disk_at_the_start(capsys, here, monkeypatch):
    real = Path.write_text

    def full(self, *args, **kwargs):
        if "recipe.json" in self.name:
            raise OSError(28, "No space left on device")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    assert "the disk is full" in complaint(capsys, "train", "flowers:8", *SMALL, "--run", "run")
    assert not list(here.iterdir())


def test_recipes_as_json(capsys):
    assert main(["recipes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["id"] for entry in listed} >= {"C1", "C2", "C3", "C4", "C5", "F1", "S1", "P1"}
    for entry in listed:
        assert entry["source"] and entry["parameters"]["generator"] > 0
        assert all(field["help"] for field in entry["fields"].values()), entry["name"]


def test_recipe_with_fields(capsys):
    assert main(["recipes", "C5"]) == 0
    out = capsys.readouterr().out
    assert "3,576,704" in out and "doubled at every halving" in " ".join(out.split())


def test_recipes_are_narrow_and_mark_what_the_data_decide(capsys):
    for words in ([], *([name] for name in SYSTEMS)):
        assert main(["recipes", *words]) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 100
    assert main(["recipes", "few-shot"]) == 0
    shown = {
        line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line[:2] == "  "
    }
    for field in fields_of(SYSTEMS["few-shot"].recipe):
        assert ("by data, else" in shown[field]) == (field in SYSTEMS["few-shot"].recipe.BY_DATA)
    assert "else none" in shown["conditioning"] and "0.0004 " in shown["generator_lr"]


def test_each_class_is_read_for_help_once():
    """38 systems share 41 classes; to read their sources again for each system took 3 s."""
    lineages = [type(system.recipe).__mro__ for system in SYSTEMS.values()]
    classes = {cls for lineage in lineages for cls in lineage if is_dataclass(cls)}
    _declared.cache_clear()
    assert len(listing()) == len(SYSTEMS)
    assert _declared.cache_info().misses == len(classes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    fields = {
        "resolution": 32,
        "width": 4,
        "batch": 4,
        "tick": 8,
        "metric_count": 64,
    }
    run = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        return train("flowers:8", "dcgan", run=run, images=16, progress=False, **fields).path


def test_sample_grid_folder_zip_and_array(trained: Path, here: Path, capsys):
    grid, folder, archive, array = (here / name for name in ("g.png", "each", "all.zip", "a.npy"))
    for out in (grid, folder, archive, array):
        words = ["sample", str(trained), "--count", "70", "--seed", "5", "--out", str(out)]
        assert main(words) == 0
        assert f"{out}: 70 samples, seeds 5 to 74" in capsys.readouterr().out
    with Image.open(grid) as opened:
        assert opened.size == (9 * 32, 8 * 32)
    names = sorted(path.name for path in folder.iterdir())
    assert names[0] == "000005.png" and names[-1] == "000074.png" and len(names) == 70
    with zipfile.ZipFile(archive) as opened:
        assert sorted(opened.namelist()) == names
    images = np.load(array)
    assert images.shape == (70, 3, 32, 32) and images.dtype == np.uint8
    with Image.open(folder / names[0]) as first:
        assert np.array_equal(np.asarray(first).transpose(2, 0, 1), images[0])


def test_the_same_seed_always_gives_the_same_picture(trained: Path, here: Path):
    for seed, out in ((0, "zero.npy"), (7, "seven.npy")):
        main(["sample", str(trained), "--count", "9", "--seed", str(seed), "--out", out])
    zero, seven = (np.load(here / name).astype(int) for name in ("zero.npy", "seven.npy"))
    assert np.abs(zero[7:] - seven[:2]).max() <= 1
    assert np.abs(zero[0] - zero[1]).max() > 1


def test_truncation_narrows(trained: Path, here: Path):
    for truncation, out in (("0.01", "narrow.npy"), ("3", "wide.npy")):
        words = ["sample", str(trained), "--count", "32", "--truncation", truncation, "--out", out]
        assert main(words) == 0
    narrow, wide = (np.load(here / name).astype(float) for name in ("narrow.npy", "wide.npy"))
    assert narrow.std(0).mean() < 0.1 * wide.std(0).mean()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--count", "0"], "count must be above 0"),
        (["--seed", "-1"], "seed must be 0 or more"),
        (["--truncation", "0"], "truncation must be above 0"),
        (["--out", "pictures.tiff"], "pictures can be saved as"),
    ],
)
def test_sample_mistakes(trained: Path, words, message, capsys, here):
    assert message in complaint(capsys, "sample", str(trained), *words)


def test_damaged_snapshot(trained: Path, here: Path, capsys):
    snapshot = next((trained / "snapshots").iterdir())
    (here / "cut.safetensors").write_bytes(snapshot.read_bytes()[:1000])
    assert "is not a readable snapshot" in complaint(capsys, "sample", "cut.safetensors")


def test_pack_and_train_from_it(here: Path, photos: Path, capsys):
    words = ["data", "pack", "photos", "--out", "pack.npz", "--resolution", "32"]
    assert main(words) == 0
    assert "24 pictures, 0 skipped" in capsys.readouterr().out
    assert main(["train", "pack.npz", *SMALL, "--run", "run"]) == 0
    assert json.loads((here / "run" / "machine.json").read_text())["data"]["count"] == 24


def test_doctor_of_a_run_and_of_data(trained: Path, capsys):
    assert main(["doctor", str(trained)]) == 0
    assert "near-empty data" in capsys.readouterr().out
    assert main(["doctor", str(trained), "--json"]) == 0
    finding = json.loads(capsys.readouterr().out)[0]
    assert set(finding) == {"name", "severity", "sure", "evidence", "advice", "flags"}
    assert json.loads((trained / "doctor.json").read_text())["findings"][0] == finding
    assert main(["doctor", "flowers:300"]) == 0
    assert "healthy data" in capsys.readouterr().out
    assert "there is no 'nowhere'" in complaint(capsys, "doctor", "nowhere")


def test_compare(trained: Path, here: Path, capsys):
    shutil.copytree(trained, here / "other")
    assert main(["compare", str(trained), "other", "--out", "both.html"]) == 0
    assert "other" in capsys.readouterr().out
    page = (here / "both.html").read_text()
    assert "<script src" not in page and "http" not in page.replace("http-equiv", "")
    assert "compar" in complaint(capsys, "compare", str(trained))
    assert "is not a run" in complaint(capsys, "compare", str(trained), ".")


def test_scores_end_up_in_run_and_report(trained: Path):
    assert json.loads((trained / "metrics.jsonl").read_text().splitlines()[-1])["scores"]["kid"]
    assert (trained / "best.safetensors").exists()
    assert "KID" in (trained / "report.html").read_text()
