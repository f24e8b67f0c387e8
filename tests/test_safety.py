"""The commands on runs that are strangers', damaged or linked, and beside files that are not figment's."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

import figment
from figment.cli import main
from figment.doctor.finding import Finding
from figment.errors import UserError
from figment.launch import resume, train
from figment.recipes import own
from figment.tensors import write_tensors
from figment.training import folder

FIELDS = {"hidden": (8,), "latent": 4, "batch": 16, "tick": 160, "metric_count": 64}
READING = ("report RUN", "doctor RUN", "compare RUN OTHER")
DRAWING = ("sample RUN --count 4 --out new.png", "resume RUN --images 16")
Spoil = Callable[[Path], object]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    run = tmp_path_factory.mktemp("safety") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        return train("ring", run=run, images=320, progress=False, metric_every=160, **FIELDS).path


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and of another, in the current folder; nothing of the session is known."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(own, "KNOWN", {})
    shutil.copytree(trained, tmp_path / "other")
    return Path(shutil.copytree(trained, tmp_path / "run"))


def figment_(command: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return a command's exit code, and what it complained of in one line."""
    words = [{"RUN": "run", "OTHER": "other"}.get(word, word) for word in command.split()]
    code = main(words)
    said = capfd.readouterr().err
    complaints = [line for line in said.splitlines() if line.startswith("figment: ")]
    assert "Traceback" not in said
    assert code in (0, 2) and len(complaints) == (code == 2), said
    return code, complaints[0] if complaints else ""


def edit(path: Path, **changes: object) -> None:
    whole = json.loads(path.read_text())
    for dotted, value in changes.items():
        *way, last = dotted.split("__")
        part = whole
        for key in way:
            part = part[key]
        part[last] = value
    path.write_text(json.dumps(whole))


def test_no_code_of_a_run_runs(run: Path, tmp_path: Path, capfd, monkeypatch):
    evil = f"open({str(tmp_path / 'ran')!r}, 'w')\nclass X: pass\n"
    for place in (".", "run", "run/snapshots"):
        (tmp_path / place / "evil_0.py").write_text(evil)
    edit(run / "recipe.json", recipe="evil_0:X")
    drawing = (*DRAWING, "train ring --recipe run/recipe.json --run new", "evaluate RUN --count 64")
    for command in READING:
        assert figment_(command, capfd)[0] == 0, command
    for command in drawing:
        code, said = figment_(command, capfd)
        assert code == 2 and "--trust" in said, command
        assert figment_(f"{command} --trust", capfd)[0] == 2, command
    with pytest.raises(UserError, match="trust=True"):
        figment.load(run).recipe  # noqa: B018
    assert not (tmp_path / "ran").exists() and not (tmp_path / "new").exists()


def test_the_current_folder_shadows_nothing(run: Path, tmp_path: Path):
    """``python -m figment`` would else import a stranger's numpy.py; so would processes that decode."""
    for name in ("numpy", "msgspec", "tqdm"):
        (run / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    there = {**os.environ, "PYTHONPATH": str(Path(figment.__file__).parents[1])}
    for words in (["-m", "figment", "report", "."], ["-P", "-c", "import numpy"]):
        done = subprocess.run([sys.executable, *words], cwd=run, env=there, capture_output=True)
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


def test_ones_own_recipe_keeps_working(tmp_path: Path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "mine_0.py").write_text(
        "from figment.recipes.points import Points\nNARROW = Points(hidden=(8,), latent=4, batch=16)\n"
    )
    words = "train ring --recipe mine_0:NARROW --images 32 --metric-count 64 --run run"
    assert figment_(words, capfd)[0] == 0
    assert figment.load("run").generator.sample(2).array.shape == (2, 2)  # the session knows it
    own.KNOWN.clear()
    del sys.modules["mine_0"]
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    for command in READING[:2]:
        assert figment_(command, capfd)[0] == 0
    assert figment_(DRAWING[0], capfd)[0] == 2
    assert figment_(f"{DRAWING[0]} --trust", capfd)[0] == 0
    assert figment_(f"{DRAWING[1]} --trust", capfd)[0] == 0


SPOILT: dict[str, Spoil] = {
    "recipe cut": lambda run: (run / "recipe.json").write_text('{"recipe": "points", '),
    "recipe deep": lambda run: (run / "recipe.json").write_text("[" * 100_000),
    "no fields": lambda run: edit(run / "recipe.json", fields=3),
    "a field of the future": lambda run: edit(run / "recipe.json", fields__warp=1),
    "a field of another type": lambda run: edit(run / "recipe.json", fields__batch="x"),
    "a batch without end": lambda run: edit(run / "recipe.json", fields__batch=2**63 - 1),
    "an objective of several": lambda run: edit(run / "recipe.json", fields__objective=["a"]),
    "another width": lambda run: edit(run / "recipe.json", fields__hidden=[24]),
    "machine gone": lambda run: (run / "machine.json").unlink(),
    "machine a list": lambda run: (run / "machine.json").write_text("[]"),
    "no shape": lambda run: edit(run / "machine.json", data__shape=[]),
    "no budget": lambda run: edit(run / "machine.json", budget={}),
    "a count of no number": lambda run: edit(run / "machine.json", data__count="\x1b[2J"),
    "repeats of no number": lambda run: edit(run / "machine.json", data__duplicates=[1]),
    "findings of the data of other types": lambda run: edit(
        run / "machine.json",
        data__findings=[
            dict(zip(Finding._fields, ("a", "warning", 0.5, evidence, "b", flags), strict=True))
            for evidence, flags in ((3, []), ("c", 5), ("c", ["--batch 8"]))
        ],
    ),
    "half a letter": lambda run: edit(run / "machine.json", data__name="\ud800 \udcff"),
    "machine of the future": lambda run: edit(run / "machine.json", warp={"a": [None]}),
    "log of bytes": lambda run: (run / "log.jsonl").write_bytes(bytes(range(256))),
    "log of other types": lambda run: (run / "log.jsonl").write_text(
        '{"images": 160, "rounds": "x", "loss/generator": [1], "seconds": null}\n'
    ),
    "log a pipe": lambda run: ((run / "log.jsonl").unlink(), os.mkfifo(run / "log.jsonl")),
    "scores torn": lambda run: _append(run / "metrics.jsonl", b'{"images": 400, "scores": {"k\xc3'),
    "scores no object": lambda run: _append(run / "metrics.jsonl", b"17\n"),
    "scores of other types": lambda run: _append(
        run / "metrics.jsonl", b'{"images": 400, "cost": 1, "scores": {"kid": {"value": "x"}}}\n'
    ),
    "findings of other types": lambda run: (run / "doctor.json").write_text(
        '{"images": [], "findings": [{"name": 3}, 7, {"name": "a", "flags": 1}]}'
    ),
    "seconds of no number": lambda run: (run / "state" / "seconds.json").write_text("[1e999]"),
    "pictures outside": lambda run: (run / "evaluation.json").write_text(
        '{"pictures": {"a": "../other/samples/000000320.png", "b": "/etc/passwd"}, "scores": 3}'
    ),
    "a grid that is a pipe": lambda run: os.mkfifo(run / "samples" / "000000999.png"),
}


def _append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


@pytest.mark.parametrize("name", SPOILT)
def test_damaged_files_are_one_sentence_each(name: str, run: Path, capfd):
    SPOILT[name](run)
    resumes = name.split()[0] in ("log", "scores", "seconds", "another")
    for command in (*READING, DRAWING[resumes]):
        code, said = figment_(command, capfd)
        assert code == 0 or "delete" not in said, said
    page = run / "report.html"
    if name == "pictures outside" and page.exists():
        assert "root:" not in page.read_text()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("dcgan", {"resolution": 4}),
        ("cats-mlp", {"hidden": []}),
        ("r3gan", {"group": 0}),
        ("stylegan2", {"wide_until": 0}),
        ("biggan", {"resolution": 2}),
    ],
)
def test_weights_of_networks_that_cannot_be_are_one_sentence(name, fields, tmp_path: Path, capfd):
    weights = tmp_path / "stranger.safetensors"
    write_tensors(weights, {"a": torch.zeros(1)}, {"recipe": name, "fields": fields, "images": 1})
    code = main(["sample", str(weights), "--count", "2", "--out", str(tmp_path / "a.png")])
    said = capfd.readouterr().err
    assert (
        code == 2 and "stranger.safetensors is not a readable" in said and "Traceback" not in said
    )


@pytest.mark.parametrize("place", [0.02, 0.6, 0.99])
def test_a_flipped_bit_is_named_with_its_cure(place: float, run: Path, capfd):
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[int(place * len(data))] ^= 4
        path.write_bytes(data)

    state, snapshot = run / "state" / "latest.safetensors", folder.snapshots_of(run)[-1]
    flip(state)
    code, said = figment_(DRAWING[1], capfd)
    assert code == 2 and "latest.safetensors is damaged" in said and "--from " in said
    flip(snapshot)
    code, said = figment_(f"sample {snapshot} --out new.png", capfd)
    assert code == 2 and snapshot.name in said and "another file" in said


def test_an_edited_recipe_does_not_condemn_the_state(run: Path, capfd):
    edit(run / "recipe.json", fields__hidden=[24])
    code, said = figment_(DRAWING[1], capfd)
    assert code == 2 and "belongs to another recipe" in said and "mv " not in said


@pytest.mark.parametrize(
    ("part", "make"),
    [(part, os.symlink) for part in ("lock", "log.jsonl", "state", "samples", "metrics.jsonl")]
    + [("lock", os.link), ("log.jsonl", os.link)],
)
def test_nothing_outside_changes_through_links(part: str, make, run: Path, tmp_path: Path, capfd):
    outside = tmp_path / "outside"
    outside.mkdir()
    if (run / part).is_dir():
        shutil.rmtree(run / part)
        os.symlink(outside, run / part)
    else:
        (run / part).unlink()
        (outside / "victim").write_text("precious")
        make(outside / "victim", run / part)
    for command in ("resume RUN --images 16", "report RUN"):
        figment_(command, capfd)
    assert [path.name for path in outside.iterdir()] in ([], ["victim"])
    assert all(path.read_text() == "precious" for path in outside.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        "sample RUN --count 2 --out mine/000001.png",
        "sample RUN --count 2 --out mine/a.npy",
        "compare RUN OTHER --out mine/a.html",
        "data pack flowers:4 --resolution 16 --out mine/a.npz",
    ],
)
def test_files_of_others_are_kept_unless_told(command: str, run: Path, tmp_path: Path, capfd):
    target = tmp_path / command.split()[-1]
    target.parent.mkdir()
    target.write_text("precious")
    code, said = figment_(command, capfd)
    assert code == 2 and "--overwrite" in said and target.read_text() == "precious"
    assert figment_(f"{command} --overwrite", capfd)[0] == 0
    if target.suffix != ".npy":
        assert figment_(command, capfd)[0] == 0  # now it is figment's own


def test_pictures_of_others_in_a_folder_are_kept(tmp_path: Path, monkeypatch):
    from figment.files import keep_others
    from figment.sampling.sample import files_of

    for name in ("000001.png", "mine.png", "000009.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    with pytest.raises(UserError, match=r"000001\.png is there already"):
        keep_others(files_of(tmp_path, 4, 0))
    keep_others(files_of(tmp_path, 4, 2))


def test_a_card_of_ones_own_is_kept(run: Path, capfd):
    assert figment_("report RUN", capfd)[0] == 0
    assert "made by figment" in (run / "README.md").read_text()
    (run / "README.md").write_text("mine")
    assert figment_("report RUN", capfd)[0] == 0
    assert (run / "README.md").read_text() == "mine"


def test_equal_commands_give_equal_bytes_whatever_the_speed(tmp_path: Path, monkeypatch):
    """How often is measured follows from the machine's speed, and is no part of the recipe."""
    from figment.training import monitor

    runs = []
    for name, pause in (("a", 160), ("b", 480)):
        monkeypatch.setattr("figment.training.monitor.pause_for", lambda *_, p=pause, **__: p)
        runs.append(train("ring", run=tmp_path / name, images=320, progress=False, **FIELDS))
    assert [run.machine["metric_every"] for run in runs] == [160, 480]
    one, other = (folder.snapshots_of(run.path) for run in runs)
    assert [path.name for path in one] == [path.name for path in other] and len(one) > 1
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert (tmp_path / "a/recipe.json").read_bytes() == (tmp_path / "b/recipe.json").read_bytes()
    assert len(monitor.read_measurements(runs[0].path)) > len(
        monitor.read_measurements(runs[1].path)
    )
    mask = os.umask(0)
    os.umask(mask)
    for path in (one[0], tmp_path / "a/state/latest.safetensors", tmp_path / "a/recipe.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_of_two_that_begin_one_wins_and_nothing_of_the_other_remains(tmp_path: Path):
    run = tmp_path / "runs" / "run"
    with folder.claimed(run):
        with pytest.raises(UserError, match="another process is training"):
            train("ring", run=run, images=16, progress=False, **FIELDS)
        assert run.is_dir()
    assert not run.parent.exists()
    train("ring", run=run, images=16, progress=False, **FIELDS)
    with folder.lock(run), pytest.raises(UserError, match="another process is training"):
        resume(run, images=16, progress=False)


def test_a_start_that_fails_leaves_nothing(tmp_path: Path, monkeypatch):
    from figment.plan import Plan

    def stopped(*_, **__):
        raise SystemExit(143)

    monkeypatch.setattr(Plan, "measure", stopped)
    with pytest.raises(SystemExit):
        train("ring", run=tmp_path / "deep" / "run", images=16, progress=False, **FIELDS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "flags",
    [
        "--batch 9223372036854775807",
        "--batch 65536 --resolution 4096 --recipe cats-mlp",
        "--recipe cats-mlp --hidden 65536 65536",
        "--recipe cats-mlp --hidden 9223372036854775807",
        "--latent 99999999999999999999",
        "--resolution 1073741824",
        "--images 99999999999999999999999",
        "--minutes 1e300",
        "--epochs 1e18",
        "--metric-count 9223372036854775807",
    ],
)
def test_sizes_that_no_machine_has(flags: str, tmp_path: Path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert figment_(f"train flowers:24 --features small {flags}", capfd)[0] == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        "sample RUN --count 9223372036854775807 --out new.png",
        "sample RUN --count 9223372036854775807 --out new",
        "sample RUN --count 10000000000 --out new.npy",
        "sample RUN --seed 99999999999999999999999",
        "evaluate RUN --count 9223372036854775807",
        "data pack flowers --resolution 9223372036854775807 --out new.npz",
    ],
)
def test_numbers_that_no_command_serves(command: str, run: Path, tmp_path: Path, capfd):
    assert figment_(command, capfd)[0] == 2
    assert not list(tmp_path.glob("new*"))
