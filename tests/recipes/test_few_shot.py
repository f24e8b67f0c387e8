"""The system for few pictures, and what it decides when it sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from figment import launch, plan
from figment.data import Dataset, Look
from figment.errors import UserError
from figment.networks.layers.resample import UpConvolution
from figment.recipes import suited
from figment.recipes.few_shot import A_CLASS, FewShot

ONE_SIDED = np.tile(np.arange(32, dtype=np.uint8) * 8, (3, 32, 1))


def pictures(sizes: tuple[int, ...], *, one_sided: bool = False) -> Dataset:
    count = sum(sizes)
    rows = np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    if one_sided:
        rows = rows // 4 + ONE_SIDED // 2
    labels = np.repeat(np.arange(len(sizes)), sizes)
    names = tuple(f"class {number}" for number in range(len(sizes)))
    return Dataset("some", "some", rows, labels, names if len(names) > 1 else (), "")


def test_chosen_for_few_pictures_where_none_is_named():
    many = "dcgan-ada"
    for count, name in ((49, many), (50, "few-shot"), (2_000, "few-shot"), (2_001, many)):
        assert plan.choose(f"flowers:{count}", None, {}).name == name


def test_small_pictures_of_many_kinds_are_learned_by_biggan():
    many = Look("few", "few", "images", 20_000, ("a", "b", "c", "d", "e"), 32, False, True)
    assert suited(many, {}) == "biggan-small"
    assert suited(many, {"resolution": 32, "seed": 3, "metrics": ()}) == "biggan-small"
    for asked in (
        {"width": 32},
        {"mirror": True},
        {"latent": 50},
        {"resolution": 64},
        {"channels": 1},
    ):
        assert suited(many, asked) == "dcgan-ada"
    assert suited(many, {"augment": "diffaugment"}) == "dcgan"
    for other in (
        {"classes": ("a", "b")},
        {"side": 64},
        {"side": 0},
        {"grey": True},
        {"count": 49},
    ):
        assert suited(replace(many, **other), {}) == "dcgan-ada"
    assert suited(replace(many, count=2_000), {}) == "few-shot"


def test_a_loss_that_no_probability_can_follow_is_learned_without():
    for asked in ({"objective": "wasserstein"}, {"augment": "none"}, {"augment": "ada"}):
        chosen = plan.choose("flowers:49", None, asked)
        assert (chosen.name, chosen.recipe.ada_transforms) == ("dcgan", "bgc")
    for asked in ({"objective": "hinge"}, {"ada_target": 0.5}):
        assert plan.choose("flowers:49", None, asked).name == "dcgan-ada"
    with pytest.raises(UserError, match="logits have no zero to tell overfitting by"):
        plan.choose("flowers:49", "dcgan-ada", {"objective": "wasserstein"})
    assert plan.choose("flowers:60", "dcgan", {}).name == "dcgan"
    assert plan.choose("ring:60", None, {}).name == "points"


def test_the_generator_repeats_pixels():
    """Only the first layer, from 1 to 4 pixels, is a transposed convolution of its own."""
    players = replace(FewShot(), width=4).build()
    steps = [layer for layer in players["generator"].modules() if isinstance(layer, UpConvolution)]
    assert [step.convolution.out_channels for step in steps] == [16, 8, 4, 3]
    transposed = replace(FewShot(), width=4, up="transposed").build()["generator"]
    assert not any(isinstance(layer, UpConvolution) for layer in transposed.modules())
    assert {(form.width, form.batch) for form in FewShot().cheaper()} == {
        (32, 32), (24, 16), (16, 16), (8, 16)
    }  # fmt: skip


def test_mirrored_where_the_set_has_no_side():
    assert FewShot().settle(pictures((300,))).mirror
    assert not FewShot().settle(pictures((300,), one_sided=True)).mirror
    assert not FewShot().settle(pictures((300,)), frozenset({"mirror"})).mirror


def test_classes_are_learned_where_each_has_enough():
    def settled(*sizes: int, pinned: tuple[str, ...] = ()) -> FewShot:
        return FewShot().settle(pictures(sizes), frozenset(pinned))

    by_class = settled(A_CLASS, 40)
    assert (by_class.conditioning, by_class.classes) == ("classifier", 2)
    by_class.check()
    for alone in (settled(60), settled(A_CLASS - 1, 40)):
        assert (alone.conditioning, alone.classes) == ("none", 0)
    assert settled(30, 40, pinned=("conditioning",)).conditioning == "none"


def test_packs_have_no_class():
    packed = replace(FewShot(), packing=2).settle(pictures((30, 40)), frozenset({"packing"}))
    assert packed.conditioning == "none"
    packed.check()


def test_another_way_to_take_classes_is_kept():
    guided = replace(FewShot(), guidance=0.5, classes=2)
    assert guided.settle(pictures((30, 40))).conditioning == "none"


def test_from_a_folder_to_samples_of_a_class(tmp_path, capsys):
    """60 flowers of two classes in folders: what is decided is said, trained, and sampled by class."""
    from PIL import Image

    from figment.data import open_dataset

    flowers = open_dataset("flowers:60", resolution=32, channels=3, progress=False)
    for number, (row, label) in enumerate(zip(flowers.rows, flowers.labels, strict=True)):
        folder = tmp_path / "flowers" / flowers.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(row.transpose(1, 2, 0)).save(folder / f"{number}.png")
    fields = {"width": 4, "batch": 8, "metrics": (), "precision": "float32"}
    data = str(tmp_path / "flowers")
    run = launch.train(data, "few-shot", run=tmp_path / "run", images=32, **fields)
    form = "32×32 colour, random mirroring, DiffAugment, conditional on 2 classes"
    assert f"few-shot on flowers (60 pictures, {form}): " in capsys.readouterr().err
    assert (run.recipe.conditioning, run.recipe.mirror) == ("classifier", True)
    assert run.generator.sample(2, seed=0, label=flowers.classes[1]).array.shape == (
        2, 3, 32, 32
    )  # fmt: skip
