"""How samples look beside the reals: levels, colours, blur, a grid over them."""

from __future__ import annotations

from statistics import median

from figment.doctor import shown
from figment.doctor.balance import EARLY_ROUNDS, FAR, HOPELESS_ROUNDS, unrisen
from figment.doctor.finding import Finding
from figment.doctor.history import BETTER, FEW, MANY, YOUNG_ROUNDS, History, falling
from figment.doctor.samples import SOME_TWINS, few_samples

OFF_LEVEL = 0.2
"""watch/brightness beyond this, and"""
NARROW = 0.65
WIDE = 1.5
"""watch/range outside these, or"""
BRIGHT_ONLY = 0.02
"""watch/dark below which samples never leave the bright half, which is [0, 1] of the range [-1, 1]; or"""
FLAT = 0.1
"""watch/range up to which samples are of one grey, which says nothing of where levels may lie."""
CLIPPED = 0.3
"""watch/clipped beyond this, are no matter of taste: a healthy DCGAN is within .03, .95 to 1.02 and .03."""

GRID = 5.0
"""watch/checkerboard from this on can be seen: a generator with 3x3 layers was at 7 to 9. Healthy DCGANs
start at 5 to 36 and are at 1.4 to 4 after 1,000 rounds, the most on the smoothest pictures."""
FAINT_GRID = 1.5
"""The same where the generator is built so that it leaves one: 3x3 kernels at strides of 2."""
GRID_ROUNDS = 1_000
STEADY_GRID = 7.5
"""The same in MANY measurements, not falling, from which one is named before GRID_ROUNDS: one of an eighth
of the levels stayed at 9 to 11 in a vision-aided DCGAN of 500 to 800 rounds."""
PLAIN_GRID = 100.0
"""watch/checkerboard that no sound run has had at any moment, from which a grid that stays is named before
GRID_ROUNDS: one brighter pixel in 2x2 is at 900 to 6,000."""
HALF = 0.25
"""watch/range from which samples that keep to one half of the levels do so for a reason: middle grey, which
all begin from, is at .2."""
SWAPPED = 0.5
"""watch/channels from which colours are in another order than the reals'."""

AS_VARIED, ALIKE, EVEN_GAME = (0.8, 1.3), 0.1, (0.55, 0.8)
"""watch/diversity and watch/contrast within the first, watch/look_alikes up to the second and a
discriminator that is right as often as in an even game of two that learn: samples are like what it is
shown. Where they stay FAR from the reals all the same, it is shown something else: negatives of cats kept
at .45 to .56 for 1,000 rounds."""

SHAPED = 0.2
"""watch/contrast from which samples show something, so that what is missing in MANY measurements in a row
is said before GRID_ROUNDS."""
COLOURLESS = 0.3
"""watch/saturation below which samples are grey beside the reals: a DCGAN on cats is above 0.73 from its
500th round on."""
NO_COLOUR = 0.02
"""The same below which there is none: untrained generators are at .1 and more."""
NONE = 0.001
"""The same up to which all channels are one, which half of SHAPED is enough to say."""
BLURRED = 0.4
"""watch/detail below which samples have no edges beside the reals: a DCGAN on cats is above 0.64 from its
500th round on."""


def normalisation(history: History) -> Finding | None:
    """The samples' levels are not the reals': washed out, too dark, saturated."""
    if history.measured() < FEW:
        return None
    leaving = _leaves_one_half(history)
    if history.rounds < EARLY_ROUNDS and not leaving:
        return None
    offset, width = history.value("watch/brightness", 0.0), history.value("watch/range", 1.0)
    clipped = history.value("watch/clipped", 0.0)
    half = leaving or ("darker" if _bright_half_only(history) else "")
    if not half and abs(offset) < OFF_LEVEL and NARROW <= width <= WIDE and clipped < CLIPPED:
        return None
    if not half and (few_samples(history) or unrisen(history)):
        return None  # a few pictures may be pale, or all black and white
    if not half and shown.built_in(history) and abs(offset) < OFF_LEVEL and clipped < CLIPPED:
        return None  # its levels are given, and contrast comes with training
    if not half and _few_kinds(history) and abs(offset) < OFF_LEVEL and clipped < CLIPPED:
        return None
    if not leaving and _levels_settle(history):
        return None
    return Finding(
        "wrong normalisation",
        "fault",
        0.95 if half else min(0.95, 0.5 + abs(offset) + abs(width - 1) / 2 + clipped / 2),
        f"Samples are {abs(offset):.0%} {'brighter' if offset > 0 else 'darker'} than the reals, their "
        f"levels span {width:.0%} of the reals' range, and {clipped:.0%} more of them are black or white "
        "than of the reals'" + (f"; none is ever {half} than middle grey." if half else "."),
        "Reals and the generator's output must both lie in [-1, 1]: check the generator's last layer "
        "(tanh) and how the recipe scales the pictures.",
    )


def _bright_half_only(history: History) -> bool:
    """Whether no sample has ever been darker than middle grey, where the reals are, nor all of one grey."""
    dark, width = history.series("watch/dark"), history.series("watch/range")
    return bool(dark) and max(dark) < BRIGHT_ONLY and max([0.0, *width]) > FLAT


def _few_kinds(history: History) -> bool:
    """Whether many samples of a young run are near-duplicates: such are narrow in levels too."""
    return history.rounds < YOUNG_ROUNDS and history.value("watch/look_alikes", 0.0) >= SOME_TWINS


def _leaves_one_half(history: History) -> str:
    """Return "darker" or "brighter" where samples have left that half of the levels, and go on leaving it.

    A generator begins from middle grey, and a sound one may have no dark pixels for a while; but it comes
    nearer to the reals meanwhile.
    """
    offsets = [abs(value) for value in history.latest("watch/brightness", MANY)]
    if not offsets or not history.stays("watch/range", low=HALF):
        return ""
    if offsets[-1] < max(offsets[0], OFF_LEVEL / 2):
        return ""
    for key, name in (("watch/dark", "darker"), ("watch/light", "brighter")):
        if history.stays(key, high=BRIGHT_ONLY):
            return name
    return ""


def colours_swapped(history: History) -> Finding | None:
    """The samples have the reals' colours, with one channel for another."""
    if shown.as_they_are(history) or not history.stays("watch/channels", low=SWAPPED):
        return None
    return Finding(
        "wrong normalisation",
        "fault",
        0.85,
        f"The samples' colours are like the reals' once their channels are put into another order, and "
        f"{history.value('watch/channels', 0.0):.0%} as unlike them as reals in that order are.",
        "Something exchanges the channels on their way to the discriminator, such as blue for red: look at "
        "how the recipe, or what wrote the files, orders them.",
    )


def colourless(history: History) -> Finding | None:
    """Samples have no colour at all, and never had any: the generator cannot draw it."""
    strength = history.series("watch/saturation")
    if history.rounds < HOPELESS_ROUNDS or len(strength) < MANY or max(strength) > NO_COLOUR:
        return None
    shaped = SHAPED if max(strength) > NONE else SHAPED / 2
    if not history.stays("watch/contrast", low=shaped):
        return None  # nothing has been drawn yet
    return Finding(
        "colours missing",
        "fault",
        0.9,
        f"No sample has had any colour in {len(strength)} measurements (at most {max(strength):.1%} of the "
        "reals').",
        "Look at how the generator's output becomes a picture: something gives all channels one value.",
    )


def settled_elsewhere(history: History) -> Finding | None:
    """Samples satisfy the discriminator, and do not come nearer to the pictures: it is shown others."""
    if history.points() or history.fields.get("augment") == "study":
        return None  # that augmentation changes the reals, and is meant to
    if shown.as_they_are(history):
        return None
    distance, accuracy = history.series("watch/distance"), history.mean("score/accuracy")
    if history.rounds < EARLY_ROUNDS or len(distance) < MANY + FEW or accuracy is None:
        return None
    low, high = AS_VARIED
    even = EVEN_GAME[0] <= accuracy <= EVEN_GAME[1]
    like = history.stays("watch/diversity", low, high) and history.stays(
        "watch/contrast", low, high
    )
    if not like or not history.stays("watch/look_alikes", high=ALIKE) or not even:
        return None
    near = not history.stays("watch/distance", low=FAR)
    if near or median(distance[-MANY:]) < BETTER * median(distance[-2 * MANY : -MANY]):
        return None
    return Finding(
        "wrong normalisation",
        "fault",
        0.7,
        f"Samples vary as much as the reals ({history.value('watch/diversity', 1.0):.0%}) and the "
        f"discriminator is right about only {accuracy:.0%} of what it is shown, yet they have stayed "
        f"{min(distance[-MANY:]):.2g} standard deviations or more from your pictures in the last {MANY} "
        "measurements: what it is shown is not they.",
        "Look at how the recipe turns pictures into what the discriminator sees: levels in [-1, 1], black "
        "dark and white bright, channels in order.",
    )


def _levels_settle(history: History) -> bool:
    """Whether the levels are still coming nearer to the reals', or a young run has too few measurements."""
    columns = [history.series(f"watch/{name}") for name in ("brightness", "range", "clipped")]
    if history.untold():
        return True
    apart = [
        max(abs(offset) / OFF_LEVEL, abs(width - 1) / (1 - NARROW), clipped / CLIPPED)
        for offset, width, clipped in zip(*columns, strict=False)
    ]
    if falling(apart):
        return True
    young = history.rounds < YOUNG_ROUNDS and len(apart) > FEW
    return young and apart[-1] < BETTER * median(apart[-1 - FEW : -1])


def checkerboard(history: History) -> Finding | None:
    """A grid lies over the samples."""
    if history.measured() < FEW:
        return None
    known = history.fields.get("up") == "kernel3"
    plain = history.stays("watch/checkerboard", low=PLAIN_GRID)
    steady = history.stays("watch/checkerboard", low=STEADY_GRID)
    steady = steady and history.stays("watch/contrast", low=SHAPED)
    soon = history.rounds < (EARLY_ROUNDS if known or steady else GRID_ROUNDS)
    if not plain and (soon or history.untold()):
        return None
    grid = min(history.latest("watch/checkerboard") or [1.0])
    if grid < (FAINT_GRID if known else GRID) or (
        not plain and history.falls("watch/checkerboard")
    ):
        return None
    return Finding(
        "checkerboard",
        "warning",
        min(0.95, 0.5 + grid / 20),
        f"A grid with a period of 2 or 4 pixels is {grid:.1f} times as strong in the samples as in the "
        "reals.",
        "It may fade with more training; else use a generator that enlarges by interpolation, or whose "
        "transposed convolutions have a kernel divisible by their stride.",
        ("--up kernel4", "--up bilinear") if known else ("--up nearest",),
    )


def colours_missing(history: History) -> Finding | None:
    """Samples are all but grey, the reals are not."""
    strength = _low(history, "watch/saturation", COLOURLESS)
    if strength is None:
        return None
    return Finding(
        "colours missing",
        "warning",
        0.8,
        f"The samples' colours are {strength:.0%} as strong as the reals'.",
        "Check that nothing in the recipe averages the channels; a discriminator that is shown colours "
        "teaches them within some thousand rounds.",
    )


def blurred(history: History) -> Finding | None:
    """Samples have no fine detail."""
    detail = _low(history, "watch/detail", BLURRED)
    if detail is None:
        return None
    return Finding(
        "blurred samples",
        "warning",
        0.8,
        f"Neighbouring pixels of the samples differ {detail:.0%} as much as the reals', beside their "
        "contrast: there is no fine detail in them.",
        "Check that the discriminator sees pictures at their full size and that the generator can draw "
        "at it.",
    )


def _low(history: History, key: str, bound: float) -> float | None:
    """Return a column's median where it has been below a bound and does not rise any more."""
    values = history.series(key)
    steady = history.stays(key, high=bound) and history.stays("watch/contrast", low=SHAPED)
    soon = history.rounds < (EARLY_ROUNDS if steady else GRID_ROUNDS)
    if soon or len(values) < 2 * FEW or few_samples(history):
        return None
    short = [1 - value for value in values]
    if max(values[-FEW:]) >= bound or falling(short):
        return None
    return history.now(key)
