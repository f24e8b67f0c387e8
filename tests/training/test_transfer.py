"""Beginning from what another training has learned."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from test_shown import trainer_of

from figment.data import open_dataset
from figment.errors import UserError
from figment.launch import resume, train
from figment.opened import generator_at
from figment.plan import choose
from figment.recipes import SYSTEMS
from figment.run import load
from figment.tensors import Stored, write_tensors
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer
from figment.training.transfer import Weights, read_weights, refuse_strange, take

FIELDS = {"hidden": (16,), "latent": 4, "batch": 16, "tick": 80, "metrics": ()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("teachers") / "teacher"
    return train("ring", run=path, images=320, progress=False, **FIELDS).path


@pytest.fixture
def teacher(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    return shutil.copytree(trained, tmp_path / "teacher")


@pytest.fixture(scope="module")
def flowers_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fields: dict[str, Any] = {"resolution": 32, "channels": 1, "width": 4, "latent": 8, "batch": 8}
    more: dict[str, Any] = {"metrics": (), "tick": 8, "images": 8, "progress": False}
    run = tmp_path_factory.mktemp("flowers") / "small"
    return train("flowers:64", "dcgan", run=run, **fields, **more).path


def state(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "state" / "latest.safetensors")


def test_both_networks_and_the_average_begin_there(tmp_path: Path, teacher: Path):
    path = tmp_path / "run"
    run = train("grid", run=path, images=16, progress=False, from_=teacher, generator_lr=1e-30)
    before, after = state(teacher), state(path)
    names = [name for name in before if name.startswith("nets.generator.")]
    assert len(names) > 3
    assert all(torch.equal(before[name], after[name]) for name in names)  # at a rate of nothing
    assert run.recipe.hidden == (16,)  # ty: ignore[unresolved-attribute]
    assert run.recipe.images == 16
    assert run.machine["from"]["images"] == 320
    assert run.machine["from"]["path"] == str(teacher / "state" / "latest.safetensors")


def test_what_came_with_the_other_run_is_not_what_the_user_chose(
    tmp_path: Path, teacher: Path, capsys
):
    run = train("grid", run=tmp_path / "run", images=16, from_=teacher, generator_lr=1e-30)
    assert "begins from the weights of run teacher (320 images): all" in capsys.readouterr().err
    found = run.machine["fields"]
    assert found["chosen"] == ["generator_lr", "images"]
    taken = set(found["taken"]) - {"precision"}  # which follows from the machine
    assert taken == {"batch", "hidden", "latent", "tick"}  # not all that the two recipes share
    assert run.machine["from"]["run"] == "teacher"
    card = (run.path / "README.md").read_text()
    page = (run.path / "report.html").read_text()
    assert "- began from the weights of run teacher (320 images)" in card
    assert "begun from the weights of run teacher (320 images)" in page
    assert "Taken from run teacher" in page
    assert str(teacher) not in card and str(teacher) not in page


def test_the_score_it_began_with_is_not_that_of_untrained_networks(
    tmp_path: Path, flowers_run: Path
):
    how: dict[str, Any] = {"images": 8, "progress": False, "metrics": ("kid",), "features": "small"}
    run = train("flowers:64", run=tmp_path / "run", from_=flowers_run, metric_count=64, **how)
    told = " ".join(finding.evidence for finding in run.doctor())
    assert "what it began with" in told and "untrained" not in told
    advice = " ".join(finding.advice for finding in run.doctor())
    assert f"figment resume {run.path} --minutes" in advice
    assert f"figment resume {run.path} --minutes" in (run.path / "report.html").read_text()
    card = (run.path / "README.md").read_text()
    assert "figment resume . --minutes" in card and str(run.path) not in card


def test_size_and_colours_are_those_of_the_other_run(tmp_path: Path, flowers_run: Path):
    run = train("flowers:64", run=tmp_path / "run", images=8, progress=False, from_=flowers_run)
    assert (run.recipe.resolution, run.recipe.channels) == (32, 1)
    with pytest.raises(UserError, match="nothing of the generator"):  # 64 px have other layers
        train("flowers:64", run=tmp_path / "more", progress=False, from_=flowers_run, resolution=64)


def test_the_average_is_the_others(teacher: Path):
    recipe = replace(load(teacher).recipe, seed=5)
    data = open_dataset("ring", resolution=64, channels=1, progress=False)
    trainer = Trainer(recipe, data, torch.device("cpu"))
    take(trainer, read_weights(teacher))
    for name, tensor in trainer.nets.state_dict().items():
        if name.startswith(("generator.", "average.", "discriminator.")):
            assert torch.equal(tensor, state(teacher)[f"nets.{name}"]), name


def test_the_average_begins_from_the_weights_where_there_was_none(tmp_path: Path):
    path = train("ring", run=tmp_path / "bare", images=320, progress=False, ema=0, **FIELDS).path
    recipe = replace(load(path).recipe, seed=5, ema=10_000)
    data = open_dataset("ring", resolution=64, channels=1, progress=False)
    trainer = Trainer(recipe, data, torch.device("cpu"))
    take(trainer, read_weights(path))
    own, average = (trainer.nets[net].state_dict() for net in ("generator", "average"))
    assert all(torch.equal(tensor, average[name]) for name, tensor in own.items())


def test_a_file_of_weights_has_a_generator_alone(tmp_path: Path, teacher: Path, capsys):
    file = teacher / "snapshots" / "000000320.safetensors"
    path = tmp_path / "run"
    train("ring", run=path, images=16, from_=file, recipe="points", **FIELDS)
    said = capsys.readouterr().err
    assert (
        f"begins from the weights of {file} (320 images): all of the generator; the discriminator begins"
        in said
    )
    begun, drawn = state(path), load_file(file)
    first = "nets.discriminator.layers.0.weight"
    assert not torch.equal(begun[first], state(teacher)[first])
    assert drawn


def test_what_does_not_fit_begins_anew_and_is_said(tmp_path: Path, teacher: Path, capsys):
    fields = FIELDS | {"hidden": (16, 16)}
    train("ring", run=tmp_path / "run", images=16, recipe="points", from_=teacher, **fields)
    said = capsys.readouterr().err
    assert "tensors of the generator (the first that is not, generator." in said
    assert "is 2x16 there and 16x16 here" in said


def test_nothing_that_fits_is_refused_before_a_run_is_there(
    tmp_path: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("figment.plan.Plan.settle", None)  # first scores, which take longest
    fields = FIELDS | {"hidden": (9,), "latent": 3}
    with pytest.raises(UserError, match=r"nothing of the generator in .* fits this recipe"):
        train(
            "ring", run=tmp_path / "run", recipe="points", from_=teacher, progress=False, **fields
        )
    assert not (tmp_path / "run").exists()


def test_a_time_budget_keeps_the_size_of_the_weights(flowers_run: Path):
    plan = choose("flowers:64", "dcgan", {})
    assert {form.width for form in plan.forms()} == {64, 48, 32, 24, 16}
    forms = plan.begun_from(read_weights(flowers_run).tensors).forms()
    assert {form.width for form in forms} == {64} and min(form.batch for form in forms) == 16


def test_a_run_that_is_stopped_goes_on_from_there(tmp_path: Path, teacher: Path):
    how = {"progress": False, "from_": teacher}
    straight = train("ring", run=tmp_path / "straight", images=64, **how)
    train("ring", run=tmp_path / "halves", images=32, **how)
    resume(tmp_path / "halves", images=32, progress=False)
    one, two = state(straight.path), state(tmp_path / "halves")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_frozen_layers_stay_as_they_were(tmp_path: Path, teacher: Path):
    path = tmp_path / "run"
    train("ring", run=path, images=64, progress=False, from_=teacher, freeze_layers=1)
    before, after = state(teacher), state(path)
    for kind in ("weight", "bias"):
        frozen, learned = (f"nets.discriminator.{layer}.{kind}" for layer in ("layers.0", "head"))
        assert torch.equal(before[frozen], after[frozen])
        assert not torch.equal(before[learned], after[learned])


def test_layers_that_were_never_learned_are_not_frozen(tmp_path: Path, teacher: Path):
    """Before there is a run; the teacher's discriminator is in its state alone."""
    file = teacher / "snapshots" / "000000320.safetensors"
    how: dict[str, Any] = {
        "run": tmp_path / "run",
        "progress": False,
        "images": 16,
        "freeze_layers": 1,
    }
    with pytest.raises(UserError, match=rf"holds a generator alone: name its run, {teacher},"):
        train("ring", from_=file, **how)
    (teacher / "state" / "latest.safetensors").rename(tmp_path / "moved")
    with pytest.raises(UserError, match="holds a generator alone: name a run with its state/"):
        train("ring", from_=teacher, **how)
    assert not (tmp_path / "run").exists()


def test_frozen_layers_have_to_fit(teacher: Path):
    weights = read_weights(teacher)
    recipe = replace(load(teacher).recipe, freeze_layers=1)
    refuse_strange(recipe, weights)
    other = weights._replace(shapes=weights.shapes | {"discriminator.layers.0.weight": (8, 2)})
    with pytest.raises(UserError, match=r"layers\.0\.weight is 8x2 there and 16x2 here: leave"):
        refuse_strange(recipe, other)


def test_frozen_layers_are_counted_in_words():
    points = SYSTEMS["points"].recipe
    assert "1 layer of the discriminator frozen" in replace(points, freeze_layers=1).describe()
    assert "2 layers of the discriminator frozen" in replace(points, freeze_layers=2).describe()


@pytest.mark.parametrize("name", ["latest.safetensors", "copied.safetensors"])
def test_a_saved_state_is_told_to_be_a_part_of_its_run(tmp_path: Path, teacher: Path, name: str):
    file = teacher / "state" / "latest.safetensors"
    if name == "copied.safetensors":
        file = file.rename(tmp_path / name)
    run = teacher if file.parent.name == "state" else "the folder with this file in state/"
    told = re.escape(f"{file} is the saved state of a training: name its run, {run}")
    with pytest.raises(UserError, match=told):
        train("ring", run=tmp_path / "run", progress=False, from_=file)
    with pytest.raises(UserError, match=told):
        generator_at(file, "cpu")


def test_weights_of_no_recipe_are_no_bare_key(tmp_path: Path):
    write_tensors(tmp_path / "x.safetensors", {"w": torch.ones(2, 2)}, {})
    with pytest.raises(UserError, match=r"\(it says of no recipe what it is\)"):
        generator_at(tmp_path / "x.safetensors", "cpu")


def test_a_conditional_run_and_data_without_classes(tmp_path: Path):
    """Nobody who named the run alone has set conditioning."""
    for number in range(3):
        Image.new("RGB", (32, 32), (number, 80, 160)).save(tmp_path / f"{number}.png")
    name, plain = "sngan-projection", SYSTEMS["sngan-projection"].recipe
    like = name, replace(plain, conditioning="projection", classes=2)
    with pytest.raises(UserError, match=r"run is conditional, and .* no .*: --conditioning none"):
        choose(str(tmp_path), None, {}, like=like)
    assert not choose(str(tmp_path), None, {"conditioning": "none"}, like=like).recipe.classed


@pytest.mark.parametrize(
    ("source", "told"),
    [("https://example.org/run", "is an address: download it"), ("", "--from is empty")],
)
def test_words_that_are_no_path(tmp_path: Path, source: str, told: str):
    with pytest.raises(UserError, match=told):
        train("ring", run=tmp_path / "run", progress=False, from_=source)


def test_a_recipe_alone_is_nothing_to_go_on_with(tmp_path: Path, teacher: Path):
    alone = tmp_path / "alone"
    alone.mkdir()
    (teacher / "recipe.json").rename(alone / "recipe.json")
    with pytest.raises(UserError, match="holds neither weights nor machine"):
        train("ring", run=tmp_path / "run", progress=False, from_=alone)


def test_one_layer_has_to_learn(tmp_path: Path, teacher: Path):
    with pytest.raises(UserError, match=r"has 2 layers, .* --freeze-layers to 1 at most"):
        train(
            "ring", run=tmp_path / "run", progress=False, images=16, from_=teacher, freeze_layers=2
        )


def frozen(name: str, layers: int, **fields: Any) -> set[str]:
    """The weights of a discriminator that do not learn."""
    recipe = replace(SYSTEMS[name].recipe.tiny(), freeze_layers=layers, **fields)
    net = recipe.networks()["discriminator"]
    return {key for key, weight in net.named_parameters() if not weight.requires_grad}


def test_a_growing_discriminator_is_frozen_from_the_full_size_on():
    sides = range(len(SYSTEMS["progan"].recipe.tiny().build()["discriminator"].blocks) + 1)
    first, top = max(sides), max(sides) - 1
    layers = (f"first.{first}", f"blocks.{top}.same", f"blocks.{top}.wider")
    wanted = {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    assert frozen("progan", 3) == frozen("stylegan", 3) == wanted


def test_a_bias_is_frozen_with_its_weight_alone():
    for key in frozen("biggan", 2):
        whole = key.replace("bias", "parametrizations.weight.original")
        assert whole in frozen("biggan", 2), key
    assert len(frozen("dcgan", 2)) == 4  # two convolutions, the second with its norm


def test_what_was_fitted_to_data_is_not_fitted_again(tmp_path: Path):
    fields: dict[str, Any] = {"resolution": 32, "width": 4, "latent": 8, "batch": 8}
    recipe = replace(SYSTEMS["dcgan"].recipe, **fields, minibatch_discrimination=4, images=64)
    trainer = trainer_of(recipe)
    first = {name: tensor.clone() for name, tensor in trainer.nets.state_dict().items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in first.items()}
    weights = Weights(Path("x"), 8, "", first, shapes)
    (key,) = (name for name in first if "head" in name and first[name].ndim == 3)
    trainer.now.begin(trainer)
    assert not torch.equal(trainer.nets.state_dict()[key], first[key])
    take(trainer, weights)
    trainer.now.begin(trainer)
    assert torch.equal(trainer.nets.state_dict()[key], first[key])
    save_state(tmp_path, trainer, Tally())
    again = trainer_of(recipe)  # a resume before the first round
    load_state(tmp_path, again)
    again.now.begin(again)
    assert torch.equal(again.nets.state_dict()[key], first[key])


def test_freezing_asks_for_what_was_learned(tmp_path: Path):
    with pytest.raises(UserError, match="say with --from what that is"):
        train("ring", run=tmp_path / "run", progress=False, images=16, freeze_layers=1)


@pytest.mark.parametrize("damage", ["missing", "flipped"])
def test_what_cannot_be_read_is_one_line(tmp_path: Path, teacher: Path, damage: str):
    source = tmp_path / "nowhere"
    if damage == "flipped":
        source, file = teacher, teacher / "state" / "latest.safetensors"
        changed = bytearray(file.read_bytes())
        changed[-3] ^= 1
        file.write_bytes(changed)
    with pytest.raises(UserError, match=r"there is no run|cannot be begun from"):
        train("ring", run=tmp_path / "run", progress=False, from_=source)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("note", [{"clock": [1]}, {"clock": {"images": -5}}, {"clock": None}])
def test_a_note_that_lies_is_no_number_of_images(tmp_path: Path, note: dict):
    file = tmp_path / "state.safetensors"
    write_tensors(file, {"nets.generator.layers.0.weight": torch.zeros(2, 3)}, note)
    assert read_weights(file).images == 0


def test_the_digest_is_that_of_the_file(tmp_path: Path, teacher: Path):
    import hashlib

    train("ring", run=tmp_path / "run", images=16, progress=False, from_=teacher)
    written = json.loads((tmp_path / "run" / "machine.json").read_text())["from"]
    file = teacher / "state" / "latest.safetensors"
    assert written["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_nothing_is_read_whose_shape_does_not_fit(tmp_path: Path, teacher: Path, monkeypatch):
    """A stranger's file may hold gigabytes that no network here has."""
    file, read = tmp_path / "state.safetensors", []
    strange = {"nets.generator.strange": torch.zeros(999, 9), "nets.other.layers.0.weight": 1}
    strange = {name: torch.as_tensor(value) for name, value in strange.items()}
    write_tensors(file, state(teacher) | strange, {})
    usual = Stored.__getitem__

    def noted(self: Stored, name: str) -> torch.Tensor:
        read.append(name)
        return usual(self, name)

    monkeypatch.setattr(Stored, "__getitem__", noted)
    weights = read_weights(file)
    assert read == [] and weights.shapes["generator.strange"] == (999, 9)
    refuse_strange(load(teacher).recipe, weights)
    own = {name.removeprefix("nets.") for name in state(teacher) if name.startswith("nets.")}
    assert read and set(read) <= own


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 3e38])
def test_weights_that_nothing_can_be_learned_from_are_named(
    tmp_path: Path, teacher: Path, value: float
):
    held = load_file(teacher / "snapshots" / "000000320.safetensors")
    name = next(name for name, tensor in held.items() if tensor.ndim == 2)
    held[name][-1, 0] = value
    write_tensors(tmp_path / "x.safetensors", held, {})
    weights = read_weights(tmp_path / "x.safetensors")
    with pytest.raises(UserError, match=re.escape(f"safetensors holds {value:g}, from")):
        refuse_strange(load(teacher).recipe, weights)


def test_types_that_no_network_has_are_refused_by_name(tmp_path: Path):
    file, one = tmp_path / "x.safetensors", torch.ones(2, 2)
    for odd, called in ((one.to(torch.complex64), "C64"), (one.to(torch.float8_e4m3fn), "F8_E4M3")):
        save_file({"level": odd, "w": one}, file, {"figment": "{}"})
        with pytest.raises(UserError, match=f"level in .* is of the type {called}"):
            read_weights(file)
    save_file({"w": torch.ones(9)}, file, {"figment": "{}"})
    with pytest.raises(UserError, match="holds no layer of a generator"):
        read_weights(file)
