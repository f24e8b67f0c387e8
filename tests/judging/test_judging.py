"""The scorer: scores of sides with floors and intervals, tables and pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from figment.actions.judging import evaluate
from figment.cli import main
from figment.data import open_dataset
from figment.data.flowers import draw_flowers
from figment.errors import UserError
from figment.files import MARK
from figment.judging import pictures, sides
from figment.judging.evaluate import evaluate_pictures
from figment.judging.measures import MEASURES, measures_for
from figment.judging.scorer import extractor_for, resolved_features, scorer
from figment.judging.sides import Side, real_side
from figment.judging.table import table
from figment.launch import train
from figment.metrics.features import efficientnet, mobilenet
from figment.metrics.score import Score
from figment.run import load
from two_processes import as_two, command

RANDOM = torch.Generator().manual_seed(0)


def made(count: int, *, shift: float = 0.0, copies: torch.Tensor | None = None) -> Side:
    """A side of random features and noise pictures."""
    features = torch.randn(count, 8, generator=RANDOM) + shift
    if copies is not None:
        features = copies[:count].clone()
    images = (torch.rand(count, 3, 16, 16, generator=RANDOM) * 255).to(torch.uint8).numpy()
    return Side(images, np.arange(count), features, torch.zeros(count, dtype=torch.int64))


@pytest.fixture(scope="module")
def flowers(tmp_path_factory) -> Path:
    """Two classes of 60 flowers as a folder."""
    folder = tmp_path_factory.mktemp("flowers")
    save(folder, range(120))
    return folder


def save(folder: Path, numbers: range, blur: float = 0.0) -> None:
    images, labels = draw_flowers(numbers, 32, 0)
    for number, pixels, label in zip(numbers, images, labels, strict=True):
        path = folder / ("dandelion", "marigold")[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(pixels.transpose(1, 2, 0))
        image.filter(ImageFilter.GaussianBlur(blur)).save(path)


def scored(samples: Side, reals: Side, held_out: Side | None, *names: str) -> dict[str, Score]:
    one = scorer(names, None, reals, held_out, len(samples))
    return {score.name: score for score in one.scores(samples)}


def test_every_measure_gives_the_figures_it_names_and_finite_ones():
    reals, held_out, samples = made(300), made(100), made(200)
    labels = torch.arange(300) % 2
    reals = replace(reals, labels=labels)
    for name, measure in MEASURES.items():
        if measure.needs & {"classes", "logits", "known modes"}:
            continue
        found = scored(samples, reals, held_out, name)
        assert tuple(found) == measure.gives
        for score in found.values():
            assert np.isfinite(score.value), score
            if score.low is not None and score.high is not None:
                assert score.low <= score.value <= score.high


def test_the_same_distribution_scores_like_the_floor_and_another_does_not():
    reals, held_out = made(2000), made(300)
    same = scored(made(500), reals, held_out, "kid", "precision", "coverage", "copies")
    other = scored(made(500, shift=2), reals, held_out, "kid", "precision", "coverage")
    assert same["kid"].low < 0.02 and abs(same["kid"].floor) < 0.05
    assert other["kid"].low > 10 * abs(same["kid"].value)
    assert same["precision"].value == pytest.approx(same["precision"].floor, abs=0.1)
    assert other["precision"].value < 0.2
    assert other["coverage"].value < same["coverage"].value - 0.05


def test_copies_of_the_training_set_are_suspected_by_their_features():
    reals, held_out = made(1000), made(300)
    copied = scored(made(300, copies=reals.features), reals, held_out, "copies")
    assert copied["authenticity"].value == 0
    assert copied["nearest_ratio"].value > 0.9
    assert copied["c_t"].value < -5
    fresh = scored(made(300), reals, held_out, "copies")
    assert fresh["authenticity"].value == pytest.approx(fresh["authenticity"].floor, abs=12)
    assert fresh["nearest_ratio"].value < 0.05
    assert fresh["copied"].value == 0  # their pictures are other noise
    assert abs(fresh["c_t"].value) < 4


def test_repeats_among_the_reals_blind_nothing():
    reals, held_out = made(600), made(250)
    known = torch.arange(300) % 8  # a few held-out pictures are in the training set as well
    leaked = replace(
        held_out,
        images=np.concatenate([reals.images[:8], held_out.images[8:]]),
        features=torch.cat([reals.features[:8], held_out.features[8:]]),
    )
    copied = scored(made(300, copies=reals.features[known]), reals, leaked, "copies")
    assert copied["nearest_ratio"].value > 0.9 and copied["authenticity"].value == 0
    twice = reals.of(torch.arange(600) % 400)  # a third of the reals are repeats
    samples = made(200)
    samples.features[100:] = samples.features[:100] + 1e-3
    assert scored(samples, twice, None, "look_alikes")["look_alikes"].value > 0.95


def test_floors_of_scores_that_move_with_the_counts_are_measured_at_theirs():
    reals = made(400)
    found = scored(made(300), reals, None, "kid", "recall")
    assert found["kid"].protocol.endswith("300 samples against 400 reals")
    assert found["recall"].protocol.endswith("200 samples against 200 reals")
    assert found["recall"].value == pytest.approx(found["recall"].floor, abs=0.12)


def test_known_modes_of_points_are_counted():
    dataset = open_dataset("ring:4000", resolution=64, channels=1, progress=False)
    reals = real_side(dataset, np.arange(len(dataset)), None)
    four = reals.of(reals.labels < 4)
    found = scored(four, reals, None, "modes")
    assert found["modes"].value == 4
    assert found["high_quality"].value == pytest.approx(0.98889, abs=0.01)
    assert found["modes"].floor == 8
    assert found["total_variation"].value == pytest.approx(0.5, abs=0.02)
    assert found["total_variation"].floor < 0.04


def test_points_are_ranked_by_their_modes_where_kid_prefers_a_smear():
    """As on the ring itself: KID 0.39 with 7 % of the points on a mode, 0.89 with 75 %, later."""
    dataset = open_dataset("ring:4000", resolution=64, channels=1, progress=False)
    reals = real_side(dataset, np.arange(len(dataset)), None)
    torch.manual_seed(0)
    smear = replace(reals, features=reals.features + 0.3 * torch.randn(reals.features.shape))
    kept = torch.rand(len(reals)) < torch.linspace(0.3, 1, 8)[reals.labels]  # tight, but uneven
    smear, uneven = (scored(side, reals, None, "modes", "kid") for side in (smear, reals.of(kept)))
    assert smear["kid"].badness < uneven["kid"].badness
    assert next(iter(smear)) == "total_variation"
    assert smear["total_variation"].value > 0.8 > 0.3 > uneven["total_variation"].value > 0.1
    tight = uneven["total_variation"]
    assert tight.low < tight.value < tight.high < tight.low + 0.05


def test_names_of_figures_name_their_measure_too():
    assert measures_for(["recall", "kid", "precision"]) == [
        MEASURES["precision_recall"],
        MEASURES["kid"],
    ]
    with pytest.raises(UserError, match=r"no score 'fidd'\. Did you mean fid\?"):
        measures_for(["fidd"])
    with pytest.raises(UserError, match=r"inception_score needs logits.*--features inception"):
        scorer(["inception_score"], None, made(100), None, 50)


def test_real_features_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path))
    dataset = open_dataset("flowers:40", resolution=32, channels=3, progress=False)
    extractor = extractor_for("images", "small")
    rows = np.arange(5, 35)
    first = real_side(dataset, rows, extractor)
    assert extractor is not None
    alone = extractor(dataset.rows[5:6]).values
    assert torch.allclose(first.features[:1], alone, atol=1e-5)
    monkeypatch.setattr(sides, "extract", None)  # not called again
    assert torch.equal(real_side(dataset, rows, extractor).features, first.features)


def test_features_of_other_weights_are_not_mistaken_for_these():
    """As where a file of weights has been replaced, or a version of figment has changed a network."""
    extractor = extractor_for("images", "small")
    assert extractor is not None
    other = replace(extractor, network=lambda x: (extractor.network(x)[0] + 0.5, None))
    assert other.protocol == extractor.protocol
    assert sides.fingerprint(extractor) == sides.fingerprint(extractor)
    assert sides.fingerprint(extractor) != sides.fingerprint(other)


def test_auto_features_are_those_that_are_there(monkeypatch, tmp_path):
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path))
    monkeypatch.setenv("FIGMENT_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(efficientnet, "FILE", replace(efficientnet.FILE, package=""))
    assert resolved_features("auto") == "small"
    assert resolved_features("dinov2") == "dinov2"
    (tmp_path / mobilenet.FILE.file).touch()
    assert resolved_features("auto") == "mobilenet"
    (tmp_path / efficientnet.FILE.file).touch()
    assert resolved_features("auto") == "efficientnet"
    assert resolved_features("auto", {"efficientnet"}) == "mobilenet"
    assert resolved_features("efficientnet", {"efficientnet"}) == "efficientnet"  # asked for
    (tmp_path / mobilenet.FILE.file).unlink()
    assert resolved_features("auto", {"efficientnet"}) == "patches"
    with pytest.raises(UserError, match="mobilenet"):  # never another one in its place
        extractor_for("images", "mobilenet")


def test_a_folder_against_a_folder(flowers, tmp_path):
    save(tmp_path / "same", range(200, 300))
    save(tmp_path / "blurred", range(200, 300), blur=2)
    how = {"features": "small", "metrics": ("kid", "checkerboard"), "progress": False}
    same = evaluate_pictures(str(tmp_path / "same"), str(flowers), out=tmp_path / "out", **how)
    blurred = evaluate_pictures(str(tmp_path / "blurred"), str(flowers), **how)
    value = {score.name + score.group: score for score in same.scores}
    worse = {score.name + score.group: score for score in blurred.scores}
    assert set(value) == {"kid", "checkerboard", "kiddandelion", "kidmarigold"}
    assert worse["kid"].low > value["kid"].high
    assert worse["checkerboard"].value < 0.5 < value["checkerboard"].value
    assert "100 samples against 120 reals" in value["kid"].protocol
    assert any("trust only kid" in note for note in same.notes)
    for path in same.pictures.values():
        with Image.open(tmp_path / "out" / path) as image:
            assert image.width > 100


def test_a_run_is_evaluated_from_the_command_line(tmp_path, capsys):
    fields = {"resolution": 32, "width": 4, "batch": 4, "tick": 8, "metrics": (), "metric_every": 8}
    run = train("flowers:240", run=tmp_path / "run", images=8, progress=False, **fields).path
    words = [
        "evaluate",
        str(run),
        "--count",
        "40",
        "--features",
        "small",
        "--metrics",
        "kid",
        "copies",
    ]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 8 and found["weights"] == "000000008.safetensors"
    assert found["own_data"]
    assert [score["name"] for score in found["scores"]] == [
        "kid",
        "copied",
        "authenticity",
        "nearest_ratio",
    ]
    assert "40 samples against 228 reals" in found["scores"][0]["protocol"]
    written = json.loads((run / "evaluation.json").read_text())
    assert written == found | {"software": MARK}
    assert (run / found["pictures"]["look-alikes"]).exists()
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "KID(small) x1000 " in out and "real pictures" in out
    assert (
        not load(run).evaluate("flowers:64", count=40, features="small", metrics=["kid"]).own_data
    )


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["nowhere"], "there is no 'nowhere'"),
        (["{flowers}"], "is not a run, so there is nothing to compare it with: give --against"),
        (["{flowers}", "--against", "nowhere"], "there is no 'nowhere'"),
        (["{flowers}", "--against", "{flowers}", "--metrics", "kidd"], "Did you mean kid?"),
        (["{flowers}", "--against", "{flowers}", "--features", "smal"], "small"),
        (
            ["{flowers}", "--against", "{flowers}", "--seed", "3"],
            "seed and truncation are for drawing",
        ),
        (["{flowers}", "--against", "{flowers}", "--resolution", "4"], "between 8 and 4096 pixels"),
        (["{flowers}", "--against", "{flowers}", "--protocol", "fid5k"], "Did you mean fid50k?"),
        (
            ["{flowers}", "--against", "{flowers}", "--protocol", "fid50k", "--count", "100"],
            "leave --metrics, --features and --count out",
        ),
        (["{flowers}", "--against", "ring"], "points are scored only as samples of a run"),
        (["{flowers}", "--against", "{flowers}", "--count", "3"], "scores need 20 or more"),
    ],
)
def test_mistakes_are_answered_in_one_line(words, answer, flowers, capsys):
    words = [word.format(flowers=flowers) for word in words]
    assert main(["evaluate", *words]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("figment:")]
    assert len(said) == 1 and answer in said[0]


def test_samples_without_classes_are_not_asked_for_them(tmp_path):
    """Also where the data have some, as those that an unconditional run has learned from."""
    fields = {"resolution": 32, "width": 4, "batch": 4, "tick": 8, "metrics": (), "metric_every": 8}
    run = train(
        "flowers:400", "dcgan", run=tmp_path / "run", images=8, progress=False, **fields
    ).path
    with pytest.raises(UserError, match=r"gan_train needs classes, and samples of .* have none"):
        evaluate(run, features="small", count=64, metrics=("classified",))


def test_data_that_changed_are_refused(flowers, tmp_path):
    copy = tmp_path / "copy"
    save(copy, range(30))
    fields = {"resolution": 32, "width": 4, "batch": 4, "tick": 8, "metrics": (), "metric_every": 8}
    run = train(copy, run=tmp_path / "run", images=8, progress=False, **fields).path
    shutil.move(copy, tmp_path / "moved")
    with pytest.raises(UserError, match=r"no longer at .*: name them with --against"):
        evaluate(run, features="small")
    shutil.move(tmp_path / "moved", copy)
    (copy / "dandelion").rename(copy / "lion")
    with pytest.raises(UserError, match=r"has changed since .* name the data with --against"):
        evaluate(run, features="small")
    found = evaluate(run, against=str(flowers), features="small", count=20, metrics=("kid",))
    assert "against 120 reals" in found.scores[0].protocol


def test_a_table_says_value_interval_floor_and_which_way():
    lines = table(
        [Score("kid", 0.0012, 0.001, 0.0014, 0.0001), Score("recall", 0.5, better="higher")]
    )
    assert " ".join(lines[1].split()) == "KID x1000 1.20 1.00 to 1.40 0.100 lower is better"
    assert lines[2].split() == ["recall", "0.500", "higher", "is", "better"]
    assert table([Score("kid", 1.0, group="dandelion")])[1].startswith(
        "KID x1000, dandelion  1,000"
    )


def test_fid_is_called_by_its_features_unless_they_are_those_of_papers():
    def name(protocol: str) -> str:
        return table([Score("fid", 7.9, protocol=protocol)])[1].split()[0]

    assert name("small (random weights), 64 px; 500 samples") == "FID(small)"
    assert name("inception-legacy (NVIDIA's), 299 px") == "FID"


def test_look_alikes_wear_frames_of_one_colour():
    reals = made(200)
    samples = made(16)
    samples.features.mul_(10)
    samples.features[3] = samples.features[9]
    page = np.asarray(pictures.look_alikes(samples, reals, 16))
    frames = {tuple(page[*corner]) for corner in corners(16)}
    assert len(frames) == 2  # paper, and one colour
    framed = [
        number for number, corner in enumerate(corners(16)) if tuple(page[*corner]) != (255,) * 3
    ]
    assert framed == [3, 9]


def corners(count: int) -> list[tuple[int, int]]:
    side = 64 + 2 * pictures.FRAME + pictures.GAP
    return [(pictures.GAP + n // 4 * side, pictures.GAP + n % 4 * side) for n in range(count)]


def test_nearest_training_pictures_stand_beside_the_samples():
    reals = made(50)
    samples = made(20, copies=reals.features)
    samples = replace(samples, images=reals.images[:20])
    page = np.asarray(pictures.neighbours(samples, reals))
    top = 6 + 2 * 16 - 6
    sample = page[top : top + 64, 6:70]
    neighbour = page[top : top + 64, 6 + 70 + 12 : 6 + 70 + 12 + 64]
    assert np.array_equal(sample, neighbour)


def test_two_processes_give_the_same_figures(tmp_path, capsys):
    fields = {"hidden": (16,), "latent": 4, "batch": 16, "tick": 160, "metrics": ()}
    run = train("ring", run=tmp_path / "run", images=160, progress=False, **fields).path
    words = [
        "evaluate",
        str(run),
        "--count",
        "301",
        "--metrics",
        "kid",
        "recall",
        "modes",
        "--json",
    ]
    assert main(words) == 0
    alone = json.loads(capsys.readouterr().out)
    (code, said), other = as_two(partial(command, words), tmp_path)
    assert (code, other) == (0, (0, ""))
    together = json.loads(said)
    for one, other in zip(alone["scores"], together["scores"], strict=True):
        assert one["name"] == other["name"] and one["protocol"] == other["protocol"]
        assert one["value"] == pytest.approx(other["value"], rel=1e-6)
        assert one["floor"] == pytest.approx(other["floor"], rel=1e-6)
