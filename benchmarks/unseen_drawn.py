"""Cases of ``benchmarks/unseen.py`` drawn at random: a fault, a system, a set and a seed meet by chance.

``--list drawn:7`` is the draw of seed 7. Kinds of fault are known to who writes the rules; what they are
planted in and how strongly is not: another number is another first asking, from 100 and from 200 on
with other systems and sets.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F

from figment.errors import UserError
from figment.objectives import objective
from figment.recipes import find
from unseen_cases import LOST, Case, data, fault
from unseen_plants import Backwards, Drawn, Judged, Misfed, Scheduled, Told, planted
from unseen_pools import FIRST, LAST, LATER, Pool, System
from unseen_sound import sound

FAR = "still far from your pictures"
OVERFITTED = "discriminator overfitting | memorisation"
DRAWN, TRIES = 24, 50


# -- the plants --------------------------------------------------------------------------------------


@dataclass
class Draw:
    """What a case is made of, and the dice."""

    dice: random.Random
    number: int
    system: System
    data: str
    seed: int
    pool: Pool

    def run(
        self, what: str, right: str, also: str = "", *, code: tuple | None = None, **more: Any
    ) -> Case:
        """Return the case: a fault in the code (base, changes), or in fields."""
        system, recipe = self.system, self.system.name
        given = dict(system.fields)
        if code is not None:
            base, how = code
            recipe = planted(f"FAULT_{self.seed}", base, system, **how)
            given = {}
        batch = more.get("batch", system.fields.get("batch", 32))
        moves = more.get("discriminator_moves", system.fields.get("discriminator_moves", 1))
        images = more.pop("images", system.rounds * batch * moves)
        title = f"{what}: {system.name} on {self.data.partition('.')[0]}"
        return fault(title, right, self.data, recipe, images, f"{LOST} | {FAR} | {also}",
                     seed=self.seed, **given | more)  # fmt: skip

    def rate(self, player: str) -> float:
        """Return a rate of the system's own."""
        return getattr(find(self.system.name)[1], f"{player}_lr")

    def rates(self, times: float) -> dict[str, float]:
        """Return both rates, so many times the system's own."""
        return {f"{p}_lr": times * self.rate(p) for p in ("generator", "discriminator")}


HIGH, LOW = "learning rate too high", "learning rate too low"
WRONG = "wrong normalisation"
STRONG, WEAK, STILL = "discriminator too strong", "generator too strong", "generator stands still"
COLLAPSE = "mode collapse | partial mode collapse"


def both_high(d: Draw) -> Case:
    times = d.dice.choice((100, 200, 400))
    return d.run(f"rates x{times}", f"{HIGH} | divergence", **d.rates(times))


def both_low(d: Draw) -> Case:
    times = d.dice.choice((150, 300, 1000))
    return d.run(f"rates /{times}", LOW, **d.rates(1 / times))


def one_high(d: Draw) -> Case:
    times, player = d.dice.choice((150, 400)), d.dice.choice(("generator", "discriminator"))
    return d.run(f"{player}'s rate x{times}", f"{HIGH} | divergence",
                 **{f"{player}_lr": times * d.rate(player)})  # fmt: skip


def one_low(d: Draw) -> Case:
    player = d.dice.choice(("generator", "discriminator"))
    right = f"{LOW} | {STRONG if player == 'generator' else WEAK}"
    return d.run(f"{player}'s rate /400", right, **{f"{player}_lr": d.rate(player) / 400})


def momentum(d: Draw) -> Case:
    right = f"{HIGH} | divergence | oscillation | mode collapse | {STRONG}"
    return d.run("betas .99 and .9", right, betas=(0.99, 0.9))


def twos(d: Draw) -> Case:
    return d.run("batches of 2", "tiny batch", batch=2, images=2_400)


def drowned(d: Draw) -> Case:
    return d.run("dropout .95", "extreme dropout", dropout=0.95)


def unbounded(d: Draw) -> Case:
    recipe: Any = find(d.system.name)[1]
    held = ("gradient_penalty", "drift", "clip", "r1", "r2", "dragan")
    more: dict[str, Any] = {name: 0.0 for name in held if getattr(recipe, name, 0.0)}
    if getattr(recipe, "spectral_norm", "none") != "none":
        more["spectral_norm"] = "none"
    if recipe.objective == "wasserstein":
        return d.run("its bound taken away", "unbounded critic", **more)
    return d.run(
        "a critic's loss", "unbounded critic", objective="wasserstein", real_target=1.0, **more
    )


def few(d: Draw) -> Case:
    count = d.dice.choice((40, 80, 150))
    d.data = f"{d.dice.choice(d.pool.one_class)}:{count}"
    return d.run(f"{count} pictures", OVERFITTED, f"few pictures | {COLLAPSE}", augment="none")


def twelve(d: Draw) -> Case:
    d.data = f"{d.dice.choice(d.pool.one_class)}:12"
    return d.run("12 pictures", "near-empty data", OVERFITTED)


def soon(d: Draw) -> Case:
    images = d.dice.randint(12, 60) * d.system.fields["batch"]
    return d.run("stopped at once", "too early to tell", images=images)


def driven(d: Draw) -> Case:
    right = f"{STRONG} | {HIGH} | mode collapse"
    return d.run("discriminator driven", right, discriminator_moves=6,
                 discriminator_lr=10 * d.rate("discriminator"), generator_lr=d.rate("generator") / 5,
                 images=d.system.rounds * d.system.fields["batch"] * 4)  # fmt: skip


def levels(d: Draw) -> Case:
    how = {
        "halved and more": lambda x: x / d.dice.choice((3, 4)),
        "times 3": lambda x: 3 * x,
        "from 0 to 1": lambda x: (x + 1) / 2,
        "from 0 to 255": lambda x: 127.5 * (x + 1),
        "negatives": lambda x: -x,
        "normalised twice": lambda x: 2 * x - 1,
        "as for a classifier": lambda x: (x + 0.05) / 0.45,
    }
    what = d.dice.choice(list(how))
    feed = lambda batch, _: batch._replace(images=how[what](batch.images))  # noqa: E731
    return d.run(f"reals {what}", WRONG, code=(Misfed, {"feed": feed}))


def channels(d: Draw) -> Case:
    order = d.dice.choice(([2, 1, 0], [1, 2, 0]))
    feed = lambda batch, _: batch._replace(images=batch.images[:, order])  # noqa: E731
    return d.run(f"channels {order}", WRONG, code=(Misfed, {"feed": feed}))


def greyed(d: Draw) -> Case:
    feed = lambda b, _: b._replace(images=b.images.mean(1, True).expand_as(b.images))  # noqa: E731
    return d.run("reals in grey", f"colours missing | {WRONG}", code=(Misfed, {"feed": feed}))


def unread(d: Draw) -> Case:
    blank = d.dice.choice((0.0, 1.0))
    feed = lambda b, _: b._replace(images=torch.full_like(b.images, blank))  # noqa: E731
    return d.run(
        "reals that were not read", f"{WRONG} | mode collapse", code=(Misfed, {"feed": feed})
    )


def cut(d: Draw) -> Case:
    judged = {
        "detached": lambda batch, fakes, _: fakes.detach() + 0 * fakes,
        "reals for fakes": lambda batch, fakes, _: batch.images + 0 * fakes,
        "rounded": lambda batch, fakes, _: (127.5 * fakes).round() / 127.5,
    }
    what = d.dice.choice(list(judged))
    return d.run(f"no gradient, {what}", STILL, code=(Judged, {"judged": judged[what]}))


def upwards(d: Draw) -> Case:
    right = f"{STRONG} | {COLLAPSE} | divergence | {WRONG} | wrong sign"
    return d.run("the generator's loss, turned round", right, code=(Backwards, {}))


def deaf(d: Draw) -> Case:
    signs = d.dice.choice((0, 1, 2, 4))

    def told(latents: Any, labels: Any) -> Any:
        kept = torch.zeros_like(latents)
        kept[:, :signs] = latents[:, :signs].sign()
        return kept, labels

    return d.run(f"{2**signs} latents", COLLAPSE, code=(Told, {"told": told}))


def mistold(d: Draw) -> Case:
    def change(labels: Any) -> Any:
        return (labels + 1) % (int(labels.max()) + 1)

    feeds = {
        "next": lambda b, _: b._replace(labels=change(b.labels)),
        "shuffled": lambda b, _: b._replace(labels=b.labels.roll(1)),
    }
    what = d.dice.choice(list(feeds))
    right = "classes not obeyed | classes swapped"
    return d.run(
        f"classes told: {what}", right, "class not obeyed", code=(Misfed, {"feed": feeds[what]})
    )


def grid(d: Draw) -> Case:
    strength, period = d.dice.choice((0.12, 0.2, 0.4)), d.dice.choice((2, 4))

    def drawn(images: Any) -> Any:
        if images.ndim != 4:
            return images  # a count of weights, not pictures
        side = torch.arange(images.shape[3], device=images.device) // (period // 2) % 2
        pattern = d_pattern(side)
        return (images + strength * pattern).clamp(-1, 1)

    crossed = d.dice.random() < 0.5
    d_pattern = (
        (lambda s: ((s ^ s[:, None]) * 2 - 1).float())
        if crossed
        else (lambda s: (s * 2 - 1).float())
    )
    seen = lambda x: F.interpolate(F.avg_pool2d(x, period), scale_factor=float(period))  # noqa: E731
    return d.run(f"a grid of {period} px, {strength}", "checkerboard", "blurred samples",
                 code=(Drawn, {"drawn": drawn, "seen": seen}))  # fmt: skip


def blurred(d: Draw) -> Case:
    size = d.dice.choice((4, 8)) if d.system.fields.get("resolution", 32) > 16 else 4

    def smooth(x: Any) -> Any:
        return F.interpolate(F.avg_pool2d(x, size), size=x.shape[2:], mode="bilinear")

    return d.run(f"nothing finer than {size} px", "blurred samples", COLLAPSE,
                 code=(Drawn, {"drawn": smooth, "seen": smooth}))  # fmt: skip


def colourless(d: Draw) -> Case:
    def grey(x: Any) -> Any:
        return x.mean(1, keepdim=True).expand_as(x)

    return d.run("no colours", "colours missing", code=(Drawn, {"drawn": grey, "seen": grey}))


def broken(d: Draw) -> Case:
    at, value = d.dice.choice((300, 700)), d.dice.choice((math.inf, math.nan))
    judged = lambda batch, fakes, clock: fakes * (value if clock.rounds >= at else 1.0)  # noqa: E731
    return d.run(f"{value} after {at} rounds", "divergence", code=(Judged, {"judged": judged}))


def growing(d: Draw) -> Case:
    schedule = lambda rounds: (1.01**rounds, 1.01**rounds)  # noqa: E731
    right = f"divergence | {HIGH} | mode collapse | oscillation | {STRONG}"
    return d.run("rates that grow", right, code=(Scheduled, {"schedule": schedule}))


def retired(d: Draw) -> Case:
    schedule = lambda rounds: (1.0, 1.0 if rounds < 200 else 1e-7)  # noqa: E731
    right = f"{WEAK} | {LOW} | {COLLAPSE} | oscillation"
    return d.run("discriminator stopped", right, code=(Scheduled, {"schedule": schedule}))


def unseen_classes(d: Draw) -> Case:
    def feed(batch: Any, _: Any) -> Any:
        known = (batch.labels % 3 == 0).nonzero().flatten()
        if not len(known):
            return batch
        places = torch.arange(len(batch.labels), device=known.device) % len(known)
        return batch._replace(images=batch.images[known[places]])

    return d.run("classes never shown", COLLAPSE, "class missing", code=(Misfed, {"feed": feed}))


def sets(what: str, right: str, also: str) -> Callable[[Draw], Case]:
    def look(d: Draw) -> Case:
        name, count = d.dice.choice(d.pool.flawed[what]), d.dice.randint(150, 900)
        return data(f"{what}: {name} {count}", right, f"{name}:{count}", also)

    return look


COLOUR, BY_CLASS, PROBABLE, FREE = "colour", "classes", "probable", "free"
DRAWING, GROUPED, ANY_BATCH = "drawing", "grouped", "any batch"
"""What a plant needs: pictures in colour; a game by class; a discriminator of probabilities; a game without
classes; one that draws more than one picture within its rounds, too; pictures in classes; a
system that takes batches of any size."""
PLANTS: tuple[tuple[Callable[[Draw], Case], str], ...] = (
    (both_high, ""), (both_low, ""), (one_high, ""), (one_low, PROBABLE), (momentum, ""), (twos, ANY_BATCH),
    (drowned, PROBABLE), (unbounded, ""), (few, PROBABLE), (twelve, FREE), (soon, ""), (driven, PROBABLE),
    (levels, ""), (channels, COLOUR), (greyed, COLOUR), (unread, ""), (cut, ""), (upwards, ""),
    (deaf, FREE), (mistold, BY_CLASS), (grid, DRAWING), (blurred, DRAWING), (colourless, COLOUR),
    (broken, ""), (growing, ""), (retired, PROBABLE), (unseen_classes, GROUPED),
    (sets("repeats", "near repeats", "duplicates | few pictures"), ""),
    (sets("variants", "near-identical pictures | constant data", "few pictures | near repeats"), ""),
    (sets("noise", "noise for data", "few pictures"), ""),
    (sets("grey", "grey pictures in colour", "few pictures"), ""),
    (sets("misfiled", "doubtful classes", "few pictures"), ""),
)  # fmt: skip


def cases(seed: int) -> tuple[Case, ...]:
    """Return the draw of a seed: DRAWN cases with a fault each, no kind twice, and ten without."""
    dice = random.Random(f"drawn {seed}")
    pool = FIRST if seed < 100 else LATER if seed < 200 else LAST
    found = []
    for number, (plant, needs) in enumerate(dice.sample(PLANTS, DRAWN)):
        tries = (
            _drawn(dice, plant, needs, number, 10_000 + 100 * seed + number, pool)
            for _ in range(TRIES)
        )
        found.append(next(case for case in tries if _possible(case)))
    return (*found, *sound(dice, 10_000 + 100 * seed, pool))


def _drawn(
    dice: random.Random,
    plant: Callable[[Draw], Case],
    needs: str,
    number: int,
    seed: int,
    pool: Pool,
) -> Case:
    """Return a case of one kind: a system and a set that suit it, by chance."""
    system = dice.choice([one for one in pool.systems if _suits(one, needs)])
    if system.classed or needs == GROUPED:
        chosen = dice.choice(pool.classed)
    elif _is(system, "goodfellow"):
        chosen = dice.choice(pool.grey)
    else:
        chosen = dice.choice(pool.sets if needs == COLOUR else (*pool.sets, *pool.grey))
    return plant(Draw(dice, number, system, chosen, seed, pool))


def _possible(case: Case) -> bool:
    """Whether the system takes the fields of the case."""
    if not case.recipe:
        return True
    module, _, name = case.recipe.partition(":")
    recipe = getattr(sys.modules[module], name) if name else find(module)[1]
    classed = {"classes": 10} if getattr(recipe, "conditional", False) else {}
    try:
        replace(recipe, **case.fields, **classed).check()
    except UserError:
        return False
    return True


def _suits(system: System, needs: str) -> bool:
    if needs == BY_CLASS:
        return system.classed
    if needs == ANY_BATCH:
        return not _is(system, "stylegan2", "progan")  # they compare pictures by fours
    if needs == DRAWING and _is(system, "cats-mlp"):
        return False
    if needs == PROBABLE:
        return objective(find(system.name)[1].objective).probabilities  # ty: ignore[unresolved-attribute]
    alone = not system.classed and not _is(system, "goodfellow")
    return alone or needs not in (COLOUR, FREE, GROUPED, DRAWING)


def _is(system: System, *families: str) -> bool:
    return system.name.startswith(families)
