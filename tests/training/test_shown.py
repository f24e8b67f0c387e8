"""What reaches the discriminator is what was loaded; where it is not, the log says how."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from figment.data import open_dataset
from figment.gan import GAN
from figment.recipe import Recipe
from figment.recipes import SYSTEMS
from figment.recipes.dcgan import DCGAN
from figment.rounds import Batch, Clock, Terms
from figment.training.monitor import _rates
from figment.training.pull import pull, tried
from figment.training.shown import look, shown
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
FAMILIES = {type(system.recipe): name for name, system in SYSTEMS.items()}
GAMES = [name for kind, name in FAMILIES.items() if issubclass(kind, GAN)]
WITHOUT_LOGITS = {"dcgan-features", "ssl-mnist", "ssl-cifar"}
"""Their generators match features, and minimise nothing that hangs on logits."""
AS_IT_IS = {"difference": 0, "scale": 1, "shift": 0, "saturation": 1, "channels": 0}
AS_IT_IS |= {"kept": 1, "detail": 1, "likeness": 1, "structure": 1, "spread": 1, "whole": 1}
OF_CLASSES = {"classes": 1, "classes_as_one": 1}


def trainer_of(recipe: Recipe) -> Trainer:
    data = "ring" if recipe.kind == "points" else "flowers:64"
    sizes: dict[str, Any] = {"resolution": recipe.resolution, "channels": recipe.channels}
    return Trainer(recipe, open_dataset(data, **sizes, progress=False), CPU)


def columns(trainer: Trainer) -> dict[str, float]:
    return {name.removeprefix("shown/"): value for name, value in look(trainer).items()}


@pytest.mark.parametrize("name", GAMES)
def test_every_system_shows_and_pulls_as_it_should_and_nothing_changes_by_looking(name: str):
    trainer = trainer_of(SYSTEMS[name].recipe.tiny())
    trainer.round()
    before = {key: value.clone() for key, value in trainer.nets.state_dict().items()}
    dice = torch.get_rng_state()
    found, pulled = columns(trainer), tried(trainer)
    after = trainer.nets.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert torch.equal(dice, torch.get_rng_state())
    assert all(weight.grad is None or not weight.grad.any() for weight in trainer.nets.parameters())
    assert pulled == ({} if name in WITHOUT_LOGITS else {"pull/generator": 1.0})
    assert pull(trainer) == {}
    if trainer.recipe.kind == "points":
        assert found == {}
        return
    wanted = AS_IT_IS | (OF_CLASSES if trainer.recipe.class_count() else {})
    assert found == pytest.approx({key: wanted[key] for key in found}, abs=1e-5)
    assert {"difference", "scale", "shift", "kept", "detail"} <= set(found)


FULL = {"replay": 8, "batch": 8}


@pytest.mark.parametrize("fields", [{"augment": "diffaugment"}, FULL | {"augment": "diffaugment"},
                                    FULL | {"augment": "ada-fixed", "augment_p": 0.5},
                                    FULL | {"instance_noise": 0.5},
                                    {"packing": 2}, {"r1": 1.0}, {"micro_batch": 2, "up": "nearest"},
                                    {"guidance": 1.0, "packing": 2, "classes": 4}])  # fmt: skip
def test_what_is_done_to_all_pictures_is_no_difference(fields: dict[str, Any]):
    tiny = replace(SYSTEMS["dcgan"].recipe.tiny(), **fields)
    tiny.check()
    trainer = trainer_of(tiny)
    for _ in range(3):
        trainer.round()
    found = columns(trainer)
    assert found["difference"] == 0 and found["whole"] == 1
    assert "classes" not in found


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


def test_pictures_that_are_the_same_upside_down(tmp_path: Path):
    dice = np.random.default_rng(0)
    for number in range(48):  # flags of three stripes that stand
        stripes = dice.integers(0, 256, (1, 4, 3), dtype=np.uint8).repeat(8, 1).repeat(32, 0)
        Image.fromarray(stripes).save(tmp_path / f"{number}.png")
    feed = staticmethod(lambda batch: batch._replace(images=batch.images / 2))
    recipe = type("Made", (Changed,), {"FEED": feed})(resolution=32, width=4, batch=32, latent=8)
    data = open_dataset(str(tmp_path), resolution=32, channels=3, progress=False)
    found = columns(Trainer(recipe, data, CPU))
    assert found["scale"] == pytest.approx(0.5, abs=1e-3)


def test_systems_of_figments_own_are_not_looked_at(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("figment.training.shown.look", lambda _: pytest.fail("looked at"))
    found = shown(trainer_of(SYSTEMS["dcgan"].recipe.tiny()))
    assert found == {"shown/difference": 0, "shown/whole": 1}
    assert shown(trainer_of(SYSTEMS["points"].recipe.tiny())) == {}


def test_levels():
    half = seen(lambda x: (x + 1) / 2)
    wanted = AS_IT_IS | {"scale": 0.5, "shift": 0.5, "saturation": 0.5, "spread": 0.5}
    assert half.pop("difference") > 0.5
    wanted.pop("difference")
    assert half == pytest.approx(wanted, abs=1e-3)
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


def test_pixels_in_other_places():
    garbled = seen(lambda x: x.permute(0, 2, 3, 1).reshape(x.shape))
    assert garbled["structure"] < 0.3 and garbled["detail"] > 1.4
    turned = seen(lambda x: x.rot90(1, (2, 3)))
    assert turned["detail"] == pytest.approx(1, abs=0.2)


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


@dataclass(frozen=True, kw_only=True)
class FakesFirst(DCGAN):
    """The discriminator is called on coarse fakes first, its statistics move, and reals change places."""

    def discriminator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        self.logits(nets, self.show(nets, fakes.round(decimals=0)), batch.labels)
        batch = batch._replace(images=batch.images.flip(0))
        return super().discriminator_terms(nets, batch, fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Alone(DCGAN):
    """It calls its discriminator itself, and asks for a slope."""

    def discriminator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        images = batch.images.requires_grad_()
        torch.autograd.grad(nets["discriminator"](images).sum(), images)
        raise AssertionError("not reached without a graph")


@dataclass(frozen=True, kw_only=True)
class Prepared(DCGAN):
    """Its discriminator wants all pictures, real or not, in other levels and in grey."""

    def logits(self, nets: torch.nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        grey = shown.mean(1, keepdim=True).expand_as(shown)
        return super().logits(nets, (grey + 1) / 0.45, labels)


@dataclass(frozen=True, kw_only=True)
class Turned(DCGAN):
    """It changes its reals where the looked-at rule does not see it."""

    def reals(self, images: Tensor, clock: Clock) -> Tensor:
        return -super().reals(images, clock)


SIZE = {"resolution": 32, "width": 4, "batch": 32, "latent": 8}


def test_fakes_that_come_first_are_let_in_and_leave_nothing():
    trainer = trainer_of(FakesFirst(**SIZE, augment="diffaugment"))
    trainer.round()
    before = {key: value.clone() for key, value in trainer.nets.state_dict().items()}
    assert columns(trainer)["difference"] == 0
    assert all(torch.equal(before[k], v) for k, v in trainer.nets.state_dict().items())


def test_a_rule_that_cannot_be_tried_ends_no_training():
    assert columns(trainer_of(Alone(**SIZE))) == {}


def test_what_all_pictures_go_through_on_their_way_is_no_mistake():
    assert columns(trainer_of(Prepared(**SIZE)))["difference"] == 0


def test_hooks_that_are_not_looked_through_are_told_of():
    assert columns(trainer_of(Turned(**SIZE)))["whole"] == 0


@dataclass(frozen=True, kw_only=True)
class Halved(DCGAN):
    """Its rule shows all pictures, real or not, in half their levels, and draws from Python's dice."""

    def discriminator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        half = 0.5 if random.random() < 2 and np.random.rand() < 2 else 1.0
        batch = batch._replace(images=half * batch.images)
        return super().discriminator_terms(nets, batch, half * fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Matching(DCGAN):
    """Its rule shows reals with wrong classes as well (Reed et al. 2016), and first."""

    def discriminator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        self.logits(nets, self.show(nets, batch.images), (batch.labels + 1) % self.classes)
        return super().discriminator_terms(nets, batch, fakes, clock)


def test_what_a_rule_does_to_all_pictures_is_no_mistake_and_no_dice_are_thrown():
    trainer, arrays = trainer_of(Halved(**SIZE)), np.random.get_state()[1].copy()
    plain = random.getstate()
    assert columns(trainer) == {}
    assert random.getstate() == plain
    assert (np.random.get_state()[1] == arrays).all()


def test_pictures_that_come_with_their_classes_too():
    assert columns(trainer_of(Matching(**SIZE, conditioning="concat", classes=4)))["classes"] == 1


def test_the_rate_of_a_player_is_its_highest():
    trainer = trainer_of(SYSTEMS["dcgan"].recipe.tiny())
    resting = {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.0}
    trainer.optimizers["generator"].add_param_group(resting)
    trainer.optimizers["discriminator"].param_groups[0].pop("lr")
    assert _rates(trainer) == {"rate/generator": 2e-4}
