"""Classes, one by one: is what was asked for what is drawn?"""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from figment.doctor import flags, remedies
from figment.doctor.balance import EARLY_ROUNDS, FAR
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, MANY, YOUNG_ROUNDS, History, falling

ROUNDS = 1_000
"""Before this even a good run has hardly begun to mind its classes."""
TOLD = 0.5
"""Of the way from guessing to all right: how well thumbnails must tell the reals' classes for samples to be
judged by them. MNIST and Fashion-MNIST .7 to .85; CIFAR-10, .2, is not judged so."""
OBEYED = 0.35
"""Of what reals get, above guessing: below it classes mean nothing to the generator."""
MISTAKEN = 0.5
"""Share of a class's samples that are told as one other class, from which it is taken for that one."""
DISOBEYED = 0.2
"""Share of a class's samples told as asked for, below which it may have been swapped."""
NEVER, OTHERS = 0.1, 0.45
"""Share below which a class has stayed in the last few measurements that is not obeyed, where that of the
others is above the second and TOLD of its reals are told."""
BEHIND = 0.2
"""Times the mean share, below which a class that is not obeyed has stayed for MANY measurements."""
VARIED = 0.5
"""watch/diversity from which classes that are steadily told as one another are swapped, however short a run
or far its samples: before, all may be told as the one class that they look most like."""
ABSENT = 0.1
"""Times the reals' share of a class that samples without asked-for classes must have of it."""
SPREAD = 0.4
PART = 0.25
"""Where watch/diversity has been at the first for MANY measurements and this share of the classes, two at
least, has all but been absent from them (a median of half of ABSENT, at most twice of it), the generator
never draws them: digits of which six were never shown had three of ten at exactly 0."""
MOST = 2.0
"""Times the reals' share beyond which a class counts no more: of a rare one a single sample may be four."""
TURNED = 0.4
"""Half the sum of differences between the shares of classes at one measurement and the next, from which
samples go from one class to another: .45 to .94 where pictures came class after class; .4 or less in young
runs."""


def disobeyed(history: History) -> Finding | None:
    """Samples are not of the class that was asked for: swapped, all classes alike, or some."""
    told = history.now("watch/classes_told")
    own = _shares(history, "obeyed")
    if told is None or len(own) < 2 or history.measured() < FEW:
        return None
    guess = 1 / len(own)
    if (told - guess) / (1 - guess) < TOLD:
        return None
    if history.rounds < ROUNDS or history.value("watch/distance", 1.0) > FAR:
        return _swapped(history, own, told) if _steadily_swapped(history, own) else None
    for rule in (_swapped, _none_obeyed, _some_disobeyed):
        finding = rule(history, own, told)
        if finding:
            return finding
    return None


def _swapped(history: History, own: dict[int, float], told: float) -> Finding | None:
    mistaken, instead = _shares(history, "mistaken"), _shares(history, "instead")
    wrong = {
        k: int(instead[k])
        for k, share in own.items()
        if share < DISOBEYED and mistaken.get(k, 0.0) > MISTAKEN and k in instead
    }
    swapped = {k: other for k, other in wrong.items() if other in wrong}
    if len(swapped) < 2:
        return None
    pairs = "; ".join(
        f"{_name(history, k)} are told as {_name(history, other)} ({mistaken[k]:.0%})"
        for k, other in list(swapped.items())[:4]
    )
    return Finding(
        "classes swapped",
        "fault",
        0.9,
        f"Samples of one class look like another: {pairs}. Of real pictures {told:.0%} are told right.",
        "Check the order of the classes: what the networks are given in training must be what is asked "
        "for when drawing.",
    )


def _steadily_swapped(history: History, own: dict[int, float]) -> bool:
    """Whether classes have been told as one another, and as the same ones, for MANY measurements."""
    if not history.stays("watch/diversity", low=VARIED):
        return False
    instead = {
        k: set(history.latest(f"class/instead/{k}", MANY))
        for k in own
        if history.stays(f"class/mistaken/{k}", low=MISTAKEN)
        and history.stays(f"class/obeyed/{k}", high=DISOBEYED)
    }
    wrong = {k: int(min(others)) for k, others in instead.items() if len(others) == 1}
    among = {k: other for k, other in wrong.items() if other in wrong}
    return len(among) >= 2 and len(set(among.values())) == len(among)


def _none_obeyed(history: History, own: dict[int, float], told: float) -> Finding | None:
    mean, guess = sum(own.values()) / len(own), 1 / len(own)
    short = [1 - share for share in history.series("watch/classes_obeyed")]
    window = MANY if history.rounds < YOUNG_ROUNDS else FEW
    if mean - guess > OBEYED * (told - guess) or falling(short) or falling(short, window):
        return None
    return Finding(
        "classes not obeyed",
        "fault",
        0.9,
        f"{mean:.0%} of the samples are told as the class that was asked for, by chance it would be "
        f"{guess:.0%}; of real pictures {told:.0%} are told right.",
        "The generator does not mind its class: check that it is given the class of its own batch, or "
        "have a classifier tell it.",
        ("--conditioning classifier",),
    )


def _some_disobeyed(history: History, own: dict[int, float], told: float) -> Finding | None:
    reals = _shares(history, "told")
    top = BEHIND * sum(own.values()) / len(own)
    never = [k for k in own if max(history.latest(f"class/obeyed/{k}")) < NEVER]
    behind = [k for k in own if history.stays(f"class/obeyed/{k}", high=top)]
    worst = [k for k in own if k in never + behind and reals.get(k, told) > TOLD]
    others = [share for k, share in own.items() if k not in worst]
    if not worst or not others or sum(others) / len(others) < OTHERS:
        return None
    named = ", ".join(f"{_name(history, k)} ({own[k]:.0%})" for k in worst[:4])
    return Finding(
        "class not obeyed",
        "fault",
        0.8,
        f"Samples of {named} are hardly ever told as that class; of the other classes "
        f"{sum(others) / len(others):.0%} are, of real pictures {told:.0%}.",
        "Look at these classes' pictures: too few of them, or of another kind than their name says.",
    )


def lagging(history: History) -> str:
    """Return what is to be said of a class that lately is not obeyed as others are, "" where all are."""
    own, reals = _shares(history, "obeyed"), _shares(history, "told")
    for k, share in own.items():
        others = [one for other, one in own.items() if other != k]
        if others and share < BEHIND * sum(others) / len(others) and reals.get(k, 0.0) > TOLD:
            return f"{share:.0%} of the samples asked for as {_name(history, k)} are told as it"
    return ""


def missing(history: History) -> Finding | None:
    """A class of the data is never drawn, where classes are not asked for."""
    told, shares = _readable(history)
    if not shares or history.rounds < 2 * ROUNDS or history.measured() < FEW:
        return None
    if history.value("watch/distance", 1.0) > FAR:
        return None
    absent = [k for k, share in shares.items() if share < ABSENT]
    if not absent or history.falls("watch/missing") or never_drawn(history):
        return None
    named = ", ".join(_name(history, k) for k in absent[:4])
    return Finding(
        "class missing",
        "warning",
        0.7,
        f"Hardly any sample looks like {named}; of real pictures {told:.0%} are told right by their class.",
        "Let the networks know the classes, so that each is asked for.",
        ("--conditioning projection", "--conditioning classifier"),
    )


def never_drawn(history: History) -> Finding | None:
    """Several classes have been absent from all samples for long, although these vary."""
    told, shares = _readable(history)
    early = history.rounds < EARLY_ROUNDS
    if not shares or early or not history.stays("watch/diversity", low=SPREAD):
        return None
    absent = [
        k
        for k in shares
        if history.stays(f"class/share/{k}", high=2 * ABSENT)
        and median(history.latest(f"class/share/{k}", MANY)) < ABSENT / 2
    ]
    if len(absent) < max(2, PART * len(shares)):
        return None
    named = ", ".join(_name(history, k) for k in absent)
    advice, found = remedies.against_collapse(history)
    return Finding(
        "partial mode collapse",
        "fault",
        0.85,
        f"In the last {MANY} measurements hardly any sample looked like {named}; of real pictures "
        f"{told:.0%} are told right by their class.",
        f"See that these classes reach the discriminator at all. {advice}",
        found,
    )


def in_turn(history: History) -> Finding | None:
    """Samples go from one class to another, and draw few at a time."""
    _, shares = _readable(history)
    if not shares or history.rounds < EARLY_ROUNDS:
        return None
    turned = _turned(history, list(shares))
    if len(turned) < MANY or sorted(turned[-MANY:])[MANY // 3] < TURNED or falling(turned):
        return None  # now and then it comes back to the same class
    return Finding(
        "oscillation",
        "fault",
        0.85,
        f"From one measurement to the next the shares of classes among the samples change by "
        f"{median(turned[-MANY:]):.0%} (median of the last {MANY}), all together.",
        "See that pictures come in random order, not class after class; else lower the generator's "
        "learning rate.",
        (flags.slower(history, "generator"),),
    )


def _readable(history: History) -> tuple[float, dict[int, float]]:
    """Return how well reals' classes are told, and samples' shares of them; {} where too badly."""
    told, shares = history.value("watch/classes_told", 0.0), _shares(history, "share")
    guess = 1 / max(2, len(shares))
    return told, (shares if len(shares) >= 2 and (told - guess) / (1 - guess) >= TOLD else {})


def _turned(history: History, classes: list[int]) -> list[float]:
    """Return half the sum of differences between shares of classes, from one measurement to the next."""
    columns = zip(*(history.series(f"class/share/{k}") for k in classes), strict=False)
    cut = [[min(one, MOST) for one in row] for row in columns]
    shares = [[one / max(sum(row), 1e-9) for one in row] for row in cut]
    return [
        sum(abs(now - then) for now, then in zip(new, old, strict=True)) / 2
        for old, new in pairwise(shares)
    ]


def _shares(history: History, kind: str) -> dict[int, float]:
    """Return a column of each class by the class's number: the median of the last few measurements."""
    prefix = f"class/{kind}/"
    keys = {key for line in history.log for key in line if key.startswith(prefix)}
    numbers = {key: key.removeprefix(prefix) for key in keys}
    found = {int(k): history.now(key) for key, k in numbers.items() if k.isdecimal() and len(k) < 9}
    return {k: value for k, value in sorted(found.items()) if value is not None}


def _name(history: History, k: int) -> str:
    names = history.data.get("classes") or ()
    return f"class {names[k]}" if k < len(names) else f"class {k}"
