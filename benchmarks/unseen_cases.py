"""The first list of ``benchmarks/unseen.py``, and the form of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unseen_faults import SMALL


@dataclass(frozen=True)
class Case:
    """A run or a set, what is right to say of it first, and what else is true of it."""

    name: str
    right: frozenset[str]
    """What may be said first in the end; empty: no alarm at all may be raised."""
    also: frozenset[str]
    data: str
    recipe: str = ""
    """"" for a set that is only looked at."""
    images: int = 0
    fields: dict[str, Any] = field(default_factory=dict)


def fault(
    name: str, right: str, data: str, recipe: str, images: int, also: str = "", **fields: Any
) -> Case:
    return Case(name, _names(right), _names(also), data, recipe, images, fields)


def data(name: str, right: str, source: str, also: str = "") -> Case:
    return Case(name, _names(right), _names(also), source)


def healthy(name: str, source: str, recipe: str, images: int, **fields: Any) -> Case:
    return Case(name, frozenset(), frozenset(), source, recipe, images, fields)


def _names(words: str) -> frozenset[str]:
    return frozenset(filter(None, words.split(" | ")))


LOST = (
    "divergence | mode collapse | partial mode collapse | oscillation | discriminator too strong | "
    "generator too strong | checkerboard"
)
"""What is true of a game that is lost, whatever lost it."""
RATES = {"generator_lr": 4e-3, "discriminator_lr": 4e-3}
SCORED: dict[str, Any] = {"metrics": ("kid",), "metric_count": 256}

CASES = (
    fault("critic without a bound", "unbounded critic", "fashion_mnist.zip", "dcgan", 24_000, LOST,
          objective="wasserstein", real_target=1.0, seed=101, **SMALL),
    fault("critic without a bound, points", "unbounded critic", "ring", "points", 250_000, LOST,
          objective="wasserstein", seed=102),
    fault("dropout .95", "extreme dropout", "cifar10.zip", "dcgan", 24_000, LOST, dropout=0.95,
          seed=103, **SMALL),
    fault("both rates x200, C1", "learning rate too high", "fashion_mnist.zip", "cats-mlp-grey",
          16_000, LOST, seed=104, hidden=(64, 128, 256), resolution=28, **RATES),
    fault("both rates /200", "learning rate too low", "cifar10.zip", "fccgan", 16_000, LOST,
          generator_lr=5e-7, discriminator_lr=5e-7, seed=105, width=12),
    fault("generator's rate x200", "learning rate too high", "mnist.zip", "dcgan", 24_000, LOST,
          generator_lr=4e-2, seed=106, **SMALL),
    fault("discriminator's rate /200, grid", "learning rate too low", "grid", "points", 250_000, LOST,
          discriminator_lr=5e-6, seed=107),
    fault("classes swapped in pairs", "classes swapped", "mnist.zip", "unseen_faults:SWAPPED",
          40_000, seed=108),
    fault("classes not obeyed", "classes not obeyed", "fashion_mnist.zip", "unseen_faults:DEAF",
          40_000, seed=109),
    fault("one class not obeyed", "class not obeyed | classes swapped", "mnist.zip",
          "unseen_faults:DEAF_TO_ONE", 40_000, seed=110),
    fault("reals times 3", "wrong normalisation", "cifar10.zip", "unseen_faults:LOUD", 32_000, LOST,
          seed=111),
    fault("reals inverted", "wrong normalisation", "fashion_mnist.zip", "unseen_faults:NEGATIVE",
          32_000, LOST, seed=112),
    fault("discriminator far too strong", "discriminator too strong", "flowers2.zip", "dcgan", 48_000,
          LOST, generator_lr=1e-5, discriminator_lr=2e-3, discriminator_moves=2, real_target=1.0,
          seed=113, **SMALL),
    fault("discriminator far too weak", "generator too strong | learning rate too low",
          "fashion_mnist.zip", "dcgan", 32_000, LOST, discriminator_lr=1e-6, generator_lr=8e-4,
          seed=114, **SMALL),
    fault("generator frozen", "generator stands still | discriminator too strong", "flowers2.zip",
          "unseen_faults:FROZEN", 24_000, LOST, seed=115),
    fault("plain game on the ring", "mode collapse | partial mode collapse | oscillation", "ring",
          "points", 250_000, "still far from your pictures", latent=64, hidden=(128, 128),
          generator_lr=1e-3, seed=116),
    fault("four pictures", "mode collapse", "cifar10.zip", "unseen_faults:FOUR", 32_000, LOST,
          seed=117),
    fault("220 pictures, 220 passes", "discriminator overfitting | memorisation", "some:220", "dcgan",
          48_000, LOST, seed=118, **SMALL),
    fault("twelve pictures", "near-empty data", "some:12", "dcgan", 16_000,
          LOST + " | discriminator overfitting | memorisation", seed=119, **SMALL),
    fault("noise for pictures", "noise for data", "noise", "dcgan", 16_000, LOST, seed=120, **SMALL),
    fault("near-identical pictures", "near-identical pictures | constant data", "nearly", "dcgan",
          16_000, LOST, seed=121, **SMALL),
    fault("grey pictures in colour", "grey pictures in colour", "grey", "dcgan", 24_000, seed=122,
          channels=3, **SMALL),
    fault("stripes", "checkerboard", "flowers2.zip", "unseen_faults:STRIPED", 48_000, seed=123),
    fault("no colours", "colours missing", "cifar10.zip", "unseen_faults:COLOURLESS", 32_000,
          seed=124),
    fault("nothing fine", "blurred samples", "cifar10.zip", "unseen_faults:SMOOTH", 32_000, seed=125),
    fault("overflow after 900 rounds", "divergence", "mnist.zip", "unseen_faults:OVERFLOWING", 40_000,
          seed=126),
    fault("momentum .9 and rate x40", "learning rate too high | divergence | oscillation",
          "fashion_mnist.zip", "dcgan", 32_000, LOST, generator_lr=8e-3, discriminator_lr=8e-3,
          betas=(0.9, 0.999), seed=127, **SMALL),
    fault("batches of 2", "tiny batch", "cifar10.zip", "dcgan", 3_000, LOST, seed=128,
          **SMALL | {"batch": 2}),
    fault("cloud over the ring", "still far from your points", "ring", "points", 100_000,
          "partial mode collapse", packing=2, discriminator_lr=2e-4, seed=129),
    fault("stopped far too early, scored", "still far from your pictures", "flowers2.zip", "dcgan",
          24_000, "checkerboard", seed=130, **SMALL | SCORED),
    data("half of the set repeated", "duplicates | near repeats", "repeated"),
    data("near repeats, as JPEG", "near repeats", "resaved"),
    data("near-identical set", "near-identical pictures | constant data", "nearly"),
    data("noise", "noise for data", "noise"),
    data("twelve pictures, looked at", "near-empty data", "some:12"),
    data("one class of 4 pictures", "tiny classes", "uneven"),
    data("a tenth of the classes swapped", "doubtful classes", "mislabelled"),
    healthy("DCGAN, hinge, R1", "mnist.zip", "dcgan", 32_000, objective="hinge", real_target=1.0,
            r1=1.0, seed=201, **SMALL),
    healthy("DCGAN by class", "fashion_mnist.zip", "dcgan-concat", 32_000, seed=202, **SMALL),
    healthy("DCGAN, relativistic, scored", "flowers2.zip", "dcgan", 32_000,
            objective="relativistic", real_target=1.0, seed=203, **SMALL | SCORED),
    healthy("DCGAN, average far too long", "cifar10.zip", "dcgan", 32_000, ema=100_000_000, seed=204,
            **SMALL),
    healthy("FCC-GAN, smooth", "cifar10.zip", "fccgan-smooth", 24_000, seed=205, width=12,
            batch=32),
    healthy("few-shot", "flowers2.zip", "few-shot", 24_000, seed=206, resolution=32, width=12),
    healthy("few-shot, 251 cats", "grumpy64.zip", "few-shot", 24_000, seed=207, resolution=32,
            width=12),
    healthy("WGAN-GP, flowers-28", "flowers2.zip", "flowers-28", 24_000, seed=208, width=12,
            batch=32, discriminator_moves=1),
    healthy("R1 + R2, ring", "ring", "points", 250_000, r1=1.0, r2=1.0, betas=(0.0, 0.99),
            discriminator_lr=1e-3, generator_lr=1e-3, latent=64, hidden=(128, 128), seed=209),
    healthy("points, grid, least squares", "grid", "points", 250_000, objective="least_squares",
            seed=210),
    healthy("DCGAN, nearest, LSGAN, drawn flowers", "flowers", "dcgan", 32_000, up="nearest",
            objective="least_squares", seed=211, **SMALL),
    healthy("packing 2, ring", "ring", "points", 250_000, packing=2, seed=212),
)  # fmt: skip
