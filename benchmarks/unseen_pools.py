"""What ``unseen_drawn.py`` draws from: systems in sizes that learn within a minute, and sets."""

from __future__ import annotations

from typing import Any, NamedTuple

ONE_MOVE: dict[str, Any] = {"discriminator_moves": 1}
BLOCKS: dict[str, Any] = {"resolution": 16, "width": 16, "discriminator_width": 16, "batch": 16}


class System(NamedTuple):
    """A recipe in a size that learns within a minute, and for how many rounds it is played."""

    name: str
    fields: dict[str, Any]
    rounds: int
    classed: bool = False


SYSTEMS = (
    System("dcgan", {"resolution": 32, "width": 8, "batch": 16}, 1_500),
    System("dcgan-concat", {"resolution": 32, "width": 8, "batch": 16}, 1_500, True),
    System("few-shot", {"resolution": 32, "width": 8, "batch": 16}, 1_000),
    System("fccgan", {"resolution": 32, "width": 8, "batch": 16}, 1_200),
    System("fccgan-baseline", {"resolution": 32, "width": 8, "batch": 16}, 1_500),
    System("cats-mlp", {"resolution": 16, "hidden": (64, 128, 256), "batch": 32}, 2_000),
    System("goodfellow", {"batch": 50}, 1_200),
    System("sngan", BLOCKS | ONE_MOVE, 1_500),
    System("sngan-projection", BLOCKS | ONE_MOVE, 1_200, True),
    System("resnet-wgan-gp", BLOCKS | ONE_MOVE, 1_000),
    System("acgan", BLOCKS | ONE_MOVE, 1_000, True),
    System("biggan-small", BLOCKS | ONE_MOVE | {"latent": 60, "shared": 16, "ema": 5_000}, 900, True),
    System("stylegan2", {"resolution": 16, "width": 16, "batch": 8, "latent": 32, "ema": 5_000}, 900),
    System("progan", {"resolution": 16, "width": 16, "batch": 16, "latent": 32}, 1_000),
    System("stacked-mnist", {"resolution": 16, "width": 16, "discriminator_width": 12, "batch": 32},
           1_500),
    System("flowers-28", {"width": 12, "batch": 16, "discriminator_moves": 2}, 1_000),
    System("faces", {"resolution": 16, "batch": 16, "latent": 64}, 1_200),
    System("wgan", {"resolution": 32, "width": 8, "batch": 16, "discriminator_moves": 2}, 1_200),
)  # fmt: skip
SETS = ("cats64.zip", "cifar10.zip", "flowers2.zip", "frogs:2000", "scenes:1500", "lamps:1500",
        "kittens:1500", "horses:2000", "signs:2000", "glyphs:1500")  # fmt: skip
GREY = ("mnist.zip", "fashion_mnist.zip", "digits:4000")
CLASSED = ("mnist.zip", "fashion_mnist.zip", "signs:2000", "lamps:1500", "scenes:1500",
           "glyphs:1500")  # fmt: skip
ONE_CLASS = ("frogs", "horses", "signs", "glyphs", "kittens", "scenes")
LATER_SYSTEMS = (
    System("dcgan-virtual", {"resolution": 32, "width": 8, "batch": 16}, 1_200),
    System("dcgan-reference", {"resolution": 32, "width": 8, "batch": 16}, 1_200),
    System("dcgan-historical", {"resolution": 32, "width": 8, "batch": 16}, 1_200),
    System("cats-mlp-minibatch", {"resolution": 16, "hidden": (64, 128, 256), "batch": 32}, 2_000),
    System("goodfellow-minimax", {"batch": 50}, 1_000),
    System("fccgan-baseline-extragradient", {"resolution": 32, "width": 8, "batch": 16}, 1_000),
    System("fccgan-baseline-aided", {"resolution": 32, "width": 8, "batch": 16}, 1_000),
    System("flowers-28-classes", {"width": 12, "batch": 16, "discriminator_moves": 2}, 1_000, True),
    System("flowers-64-k4", {"resolution": 32, "width": 8, "batch": 16, "augment": "none",
                             "discriminator_moves": 2}, 1_000, True),
    System("biggan", BLOCKS | ONE_MOVE | {"latent": 60, "shared": 16, "ema": 5_000}, 900, True),
    System("r3gan-ffhq-64", {"resolution": 16, "finest": 16, "widest": 4, "blocks": 1, "width": 32,
                             "group": 8, "batch": 16, "ema": 5_000}, 900),
    System("stylegan2-ada", {"resolution": 16, "width": 16, "batch": 8, "latent": 32, "ema": 5_000},
           900),
)  # fmt: skip
LATER_SETS = ("fish:1500", "houses:1500", "fruit:1500", "moods:1500", "birds:2000", "trucks:2000",
              "planes:2000", "deer:2000", "dandelions:450", "frontal:1500")  # fmt: skip
LATER_GREY = ("shoes:1500", "clothes:300")
LATER_CLASSED = ("shoes:1500", "fruit:1500", "moods:1500", "clothes:300")
LATER_ONE_CLASS = ("fish", "houses", "deer", "planes", "birds")


LAST_SYSTEMS = (
    System("dcgan-radford", {"resolution": 32, "width": 8, "batch": 16}, 1_200),
    System("dcgan-features", {"resolution": 32, "width": 8, "batch": 16}, 1_200),
    System("vision-aided", {"resolution": 32, "width": 8, "batch": 16, "vision_every": 4}, 800),
    System("fccgan-baseline-svre", {"resolution": 32, "width": 8, "batch": 16}, 1_000),
    System("cats-mlp-unrolled", {"resolution": 16, "hidden": (64, 128, 256), "batch": 32}, 1_000),
    System("sagan", BLOCKS | {"attend": 8}, 1_000),
    System("stylegan", {"resolution": 16, "width": 16, "batch": 16, "latent": 32, "ema": 5_000}, 1_000),
    System("fastgan", {"resolution": 32, "width": 2, "batch": 8, "latent": 64}, 800),
    System("stylegan2", {"resolution": 32, "width": 8, "batch": 8, "latent": 32, "ema": 5_000}, 800),
    System("r3gan", {"resolution": 32, "finest": 16, "widest": 8, "width": 16, "group": 8}, 900),
    System("r3gan-cifar", {"resolution": 32, "finest": 16, "widest": 8, "blocks": 1, "width": 16,
                           "group": 8, "batch": 16, "ema": 5_000, "generator_lr": 3e-3,
                           "discriminator_lr": 3e-3}, 900, True),
    System("flowers-64", {"resolution": 32, "width": 8, "batch": 16, "augment": "none",
                          "discriminator_moves": 2}, 1_000, True),
)  # fmt: skip
LAST_SETS = ("leaves:1500", "flags:1500", "clocks:1500", "mugs:1500", "cars:2000", "dogs:2000",
             "pets:2000", "wheels:2000", "roses:450")  # fmt: skip
LAST_GREY = ("bags:1500", "evens:2000")
LAST_CLASSED = ("leaves:1500", "flags:1500", "wheels:2000", "evens:2000")
LAST_ONE_CLASS = ("cars", "dogs", "clocks", "mugs", "leaves")
FLAWED = {
    "repeats": ("moved", "turned", "resent", "zoomed"),
    "variants": ("portrait", "frames", "webcam"),
    "noise": ("speckle", "grain", "static", "hiss"),
    "grey": ("tinted", "greycats", "darkroom"),
    "misfiled": ("misfiled", "exchanged"),
}
"""Sets that are faulty themselves, by kind."""
LAST_FLAWED = {
    "repeats": ("retaken", "rescanned"),
    "variants": ("still", "tower"),
    "noise": ("snow", "salt"),
    "grey": ("oldcars", "copied"),
    "misfiled": ("mixedup", "mislaid"),
}


class Pool(NamedTuple):
    """What is drawn from."""

    systems: tuple[System, ...]
    sets: tuple[str, ...]
    grey: tuple[str, ...]
    classed: tuple[str, ...]
    one_class: tuple[str, ...]
    flawed: dict[str, tuple[str, ...]] = FLAWED


FIRST = Pool(SYSTEMS, SETS, GREY, CLASSED, ONE_CLASS)
LATER = Pool(LATER_SYSTEMS, LATER_SETS, LATER_GREY, LATER_CLASSED, LATER_ONE_CLASS)
"""Systems and sets that no draw before it had; from seed 100 on."""
LAST = Pool(LAST_SYSTEMS, LAST_SETS, LAST_GREY, LAST_CLASSED, LAST_ONE_CLASS, LAST_FLAWED)
"""The same once more, and other faulty sets; from seed 200 on."""
