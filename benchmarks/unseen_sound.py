"""Cases without a fault, for ``unseen_drawn.py``: systems that are sound as they are, on whole sets."""

from __future__ import annotations

import random
from typing import Any

from unseen_cases import Case, data, healthy
from unseen_pools import BLOCKS, FIRST, ONE_MOVE, Pool

SOUND: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("dcgan", {"resolution": 32, "width": 12, "batch": 32, "up": "nearest", "r1": 1.0}, 1_200),
    ("dcgan", {"resolution": 32, "width": 12, "batch": 32, "objective": "hinge", "r1": 1.0}, 1_200),
    ("few-shot", {"resolution": 32, "width": 12, "batch": 32}, 1_000),
    ("sngan", BLOCKS | ONE_MOVE | {"width": 32, "discriminator_width": 32}, 1_500),
    ("progan", {"resolution": 16, "width": 24, "batch": 16, "latent": 32}, 2_000),
    ("fccgan-smooth", {"resolution": 32, "width": 12, "batch": 32, "objective": "hinge"}, 1_200),
    ("vae", {"resolution": 32, "width": 8, "batch": 32}, 1_000),
    ("flow-matching", {"resolution": 16, "width": 16, "batch": 32}, 1_500),
)  # fmt: skip
"""Systems that are sound as they are, and for how many rounds they are played."""
WHOLE = ("mnist.zip", "fashion_mnist.zip", "cats64.zip", "flowers2.zip", "flowers", "signs:2000",
         "frogs:3000", "scenes:1500", "horses:3000", "glyphs:2000")  # fmt: skip
RINGS: tuple[dict[str, Any], ...] = (
    {"objective": "relativistic", "r1": 0.1},
    {"objective": "least_squares", "r1": 0.1},
    {"objective": "hinge", "r1": 0.1, "hidden": (256, 256)},
)


def sound(dice: random.Random, seed: int, pool: Pool) -> list[Case]:
    """Return ten cases without a fault: seven runs on pictures, one on points, two sets to be looked at."""
    found = []
    for number, (name, fields, rounds) in enumerate(dice.sample(SOUND, 7)):
        source = dice.choice(WHOLE if pool is FIRST else (*pool.sets, *pool.grey))
        images = rounds * fields["batch"]
        title = f"sound {number}, {name} on {source.partition('.')[0]}"
        found.append(healthy(title, source, name, images, seed=seed + 50 + number, **fields))
    ring = dice.choice(RINGS)
    found.append(healthy("sound ring", f"ring:{dice.randint(20, 60)}000", "points", 300_000,
                         seed=seed + 60, **ring))  # fmt: skip
    for one in dice.sample(("fruit", "moods", "planes", "cats", "scenes", "signs"), 2):
        count = dice.randint(300, 900)
        kind = {"cats": "kittens", "planes": "ships"}.get(one, one)
        found.append(data(f"sound set, {kind} {count}", "", f"{kind}:{count}"))
    return found
