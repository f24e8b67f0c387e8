"""What reaches the discriminator is what was loaded; where it is not, the log says how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from figment.data import open_dataset
from figment.gan import GAN
from figment.recipe import Recipe
from figment.recipes import SYSTEMS
from figment.recipes.dcgan import DCGAN
from figment.rounds import Batch, Clock, Terms
from figment.training.shown import shown
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
FAMILIES = {type(system.recipe): name for name, system in SYSTEMS.items()}
GAMES = [name for kind, name in FAMILIES.items() if issubclass(kind, GAN)]
AS_IT_IS = {"difference": 0, "scale": 1, "shift": 0, "saturation": 1, "channels": 0}
AS_IT_IS |= {"kept": 1, "detail": 1}
OF_CLASSES = {"classes": 1, "classes_as_one": 1}


def trainer_of(recipe: Recipe) -> Trainer:
    data = "ring" if recipe.kind == "points" else "flowers:64"
    sizes: dict[str, Any] = {"resolution": recipe.resolution, "channels": recipe.channels}
    return Trainer(recipe, open_dataset(data, **sizes, progress=False), CPU)


def columns(trainer: Trainer) -> dict[str, float]:
    return {name.removeprefix("shown/"): value for name, value in shown(trainer).items()}


@pytest.mark.parametrize("name", GAMES)
def test_every_system_shows_pictures_as_they_are_and_nothing_changes_by_looking(name: str):
    trainer = trainer_of(SYSTEMS[name].recipe.tiny())
    trainer.round()
    before = {key: value.clone() for key, value in trainer.nets.state_dict().items()}
    dice = torch.get_rng_state()
    found = columns(trainer)
    after = trainer.nets.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert torch.equal(dice, torch.get_rng_state())
    if trainer.recipe.kind == "points":
        assert found == {}
        return
    wanted = AS_IT_IS | (OF_CLASSES if trainer.recipe.class_count() else {})
    assert found == pytest.approx({key: wanted[key] for key in found}, abs=1e-5)
    assert {"difference", "scale", "shift", "kept", "detail"} <= set(found)


@pytest.mark.parametrize("fields", [{"augment": "diffaugment"}, {"augment": "ada"}, {"replay": 8},
                                    {"packing": 2}, {"instance_noise": 0.5}, {"r1": 1.0}])  # fmt: skip
def test_what_is_done_to_all_pictures_is_no_difference(fields: dict[str, Any]):
    trainer = trainer_of(replace(SYSTEMS["dcgan"].recipe.tiny(), **fields))
    trainer.round()
    assert columns(trainer)["difference"] == 0


@dataclass(frozen=True, kw_only=True)
class Changed(DCGAN):
    """A recipe of one's own with a mistake."""

    FEED: ClassVar[Callable[[Batch], Batch]]

    def discriminator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().discriminator_terms(nets, type(self).FEED(batch), fakes, clock)


def seen(change: Callable[[Tensor], Tensor], **fields: Any) -> dict[str, float]:
    return fed(lambda batch: batch._replace(images=change(batch.images)), **fields)


def fed(feed: Callable[[Batch], Batch], **fields: Any) -> dict[str, float]:
    made = type("Made", (Changed,), {"FEED": staticmethod(feed)})
    tiny = made(resolution=32, width=4, batch=32, latent=8)
    return columns(trainer_of(replace(tiny, **fields)))


def test_levels():
    assert seen(lambda x: (x + 1) / 2) == pytest.approx(
        AS_IT_IS | {"scale": 0.5, "shift": 0.5, "saturation": 0.5}
        | {"difference": seen(lambda x: (x + 1) / 2)["difference"]}, abs=1e-3
    )  # fmt: skip
    negative = seen(lambda x: -x)
    assert (negative["scale"], negative["shift"]) == pytest.approx((-1, 0), abs=1e-3)
    bytes_ = seen(lambda x: 127.5 * (x + 1), augment="diffaugment")
    assert bytes_["scale"] > 20
    assert seen(torch.zeros_like)["scale"] == 0
    assert seen(lambda x: x + 1)["shift"] == pytest.approx(1, abs=1e-3)


def test_colours():
    assert seen(lambda x: x[:, [2, 1, 0]])["channels"] == 1
    grey = seen(lambda x: x.mean(1, keepdim=True).expand_as(x))
    assert grey["saturation"] == pytest.approx(0, abs=1e-4)
    assert grey["channels"] == 0
    assert grey["scale"] == pytest.approx(1, abs=1e-3)


def test_a_blur_or_noise_is_no_scale():
    blurred = seen(lambda x: F.interpolate(F.avg_pool2d(x, 8), scale_factor=8.0))
    noisy = seen(lambda x: x + 0.2 * torch.randn_like(x))
    assert blurred["detail"] < 0.4 and noisy["detail"] > 1.5
    for found in (blurred, noisy):
        assert found["difference"] > 0.1
        assert (found["scale"], found["shift"]) == pytest.approx((1, 0), abs=0.05)


def test_pictures_in_another_order_are_no_other_pictures():
    assert seen(lambda x: x.flip(0))["difference"] == 0
    few = seen(lambda x: x[:4].repeat(8, 1, 1, 1))
    assert few["scale"] == pytest.approx(1)
    assert few["kept"] == 4 / 32


def test_classes():
    classed = {"conditioning": "concat", "classes": 4}
    swapped = fed(lambda batch: batch._replace(labels=(batch.labels + 1) % 4), **classed)
    assert swapped["classes"] == 0 and swapped["classes_as_one"] == 1
    shuffled = fed(lambda batch: batch._replace(labels=batch.labels.roll(1)), **classed)
    assert shuffled["classes"] < 0.6 and shuffled["classes_as_one"] < 0.7
    moved = fed(
        lambda b: b._replace(labels=b.labels.roll(1), images=b.images.roll(1, 0)), **classed
    )
    assert moved["classes"] == 1
