"""The scores by name: what each compares, which way is better, and its honest interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from figment.errors import UserError, nearest
from figment.judging.copying import copies
from figment.judging.figure import Figure, Measure
from figment.judging.sides import Side
from figment.metrics import distances, diversity, manifolds
from figment.metrics.artefacts import checkerboard
from figment.metrics.bins import ndb
from figment.metrics.classification import classification_accuracy_score
from figment.metrics.intervals import Interval, bootstrap, half_samples, proportion
from figment.metrics.modes import point_modes
from figment.metrics.two_sample import c2st

FEW = 2_048
"""Under this many pictures a side the bias of FID and IS exceeds most differences between models."""
MOST_PAIRS = 10_000
"""Pictures a side that scores of all pairs look at, at most."""
PUBLISHED = 50_000
"""The same of KID, which is a mean over the pairs: as many as published scores take."""


def fid(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the Fréchet distance of the features."""
    a, b = distances.moments(reals.features), distances.moments(samples.features)
    interval = distances.fid_interval(reals.features, samples.features) if sure else None
    return [Figure("fid", distances.fid(a, b), interval, note=_few(samples, reals))]


def fid_infinity(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the Fréchet distance extrapolated to any number of samples."""
    found = distances.fid_infinity(distances.moments(reals.features), samples.features)
    width = samples.features.shape[1]
    short = len(samples) < 10 * width
    note = f"read off fewer than {width:,} samples: too low" if short else ""
    return [Figure("fid_infinity", found.value, note=note)]


def kid(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the kernel distance of the features, all pairs at once."""
    found = distances.kid_full(reals.features, samples.features)
    return [Figure("kid", found.value, Interval(found.low, found.high))]


def inception_score(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the Inception Score of the network's classes."""

    assert samples.logits is not None
    splits = min(10, len(samples.logits))
    value, interval = distances.inception_score(samples.logits, splits)[0], None
    if sure:  # a half has half the splits: a score depends on the samples in one

        def half(logits: torch.Tensor) -> float:
            return distances.inception_score(logits, max(1, splits // 2))[0]

        interval = _about(value, half_samples(half, samples.logits))
    return [Figure("inception_score", value, interval, "higher", _few(samples, samples))]


def precision_recall(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return improved precision and recall, k = 3."""
    real, fake = reals.features, samples.features
    found = manifolds.precision_recall(real, fake)
    sides = manifolds.precision_recall_intervals(real, fake) if sure else (None, None)
    return [
        Figure("precision", found.precision, sides[0], "higher"),
        Figure("recall", found.recall, sides[1], "higher"),
    ]


def density_coverage(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return density and coverage, k = 5."""
    real, fake = reals.features, samples.features
    found = manifolds.density_coverage(real, fake)
    sides = manifolds.density_coverage_intervals(real, fake) if sure else (None, None)
    return [
        Figure("density", found.density, sides[0], "higher"),
        Figure("coverage", found.coverage, sides[1], "higher"),
    ]


def told_apart(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the accuracy of a linear classifier that tells samples from pictures."""
    found = c2st(reals.features, samples.features)
    interval = proportion(found.accuracy, found.count) if sure else None
    return [Figure("c2st", found.accuracy, interval)]


def variety(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the mean distance of two samples' features, over the reals'."""
    value, interval = diversity.diversity_ratio(samples.features, reals.features)
    return [Figure("diversity", value, interval, "floor")]


def ms_ssim(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the mean structural similarity of two samples."""
    images = torch.from_numpy(samples.pictures())
    return [Figure("ms_ssim", diversity.mean_ms_ssim(images), better="floor")]


def look_alikes(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the share of samples that nearly repeat another, by the distances of these reals."""
    found = diversity.look_alikes(samples.features, reals.distinct.features)
    interval = proportion(found.share, max(1, found.count // 2)) if sure else None  # they are pairs
    return [Figure("look_alikes", found.share, interval, "floor", floor=found.floor)]


def bins(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return NDB/K, the share of regions of the data with the wrong share of samples."""
    k = max(2, min(100, len(reals) // 20, len(samples) // 10))
    found = ndb(reals.features, samples.features, k=k)
    return [Figure("ndb", found.value)]


def checkerboards(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the energy at the highest frequency, over the reals'."""
    own, real = (checkerboard(torch.from_numpy(side.pictures())) for side in (samples, reals))

    def score(fake: torch.Tensor, true: torch.Tensor) -> float:
        return float(fake.mean()) / (float(true.mean()) or 1e-12)

    interval = bootstrap(score, own, real) if sure else None
    return [Figure("checkerboard", score(own, real), interval, "floor")]


def classified(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the classification accuracy score in both directions, from small classifiers of our own."""
    assert held_out is not None
    sets = []
    for side in (reals, held_out.at_most(MOST_PAIRS), samples):
        sets.append((torch.from_numpy(side.pictures(MOST_PAIRS)), side.labels))
    train, test, fake = sets
    found = classification_accuracy_score(train, test, fake, int(train[1].max()) + 1)
    gan_train = proportion(found.gan_train, len(test[1])) if sure else None
    gan_test = proportion(found.gan_test, len(fake[1])) if sure else None
    return [
        Figure("gan_train", found.gan_train, gan_train, "higher", floor=found.baseline),
        Figure("gan_test", found.gan_test, gan_test, "higher", floor=found.baseline),
    ]


def modes(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return how far points are from the mixture, how many modes they find, the share near one."""
    labels = [reals.labels == mode for mode in reals.labels.unique()]
    centres = torch.stack([reals.features[mode].mean(0) for mode in labels])
    spread = [(reals.features[m] - c).square().mean() for m, c in zip(labels, centres, strict=True)]
    found = point_modes(samples.features, centres, float(torch.stack(spread).mean().sqrt()))
    quality = proportion(found.high_quality, len(samples)) if sure else None
    # With the crowded regions taken as given, the distance is their share less what belongs there.
    crowded, due = proportion(found.crowded, len(samples)), found.crowded - found.variation
    apart = Interval(max(0.0, crowded.low - due), min(1.0, crowded.high - due))
    return [
        Figure("total_variation", found.variation, apart),
        Figure("modes", found.found, None, "higher"),
        Figure("high_quality", found.high_quality, quality, "higher"),
    ]


MEASURES: dict[str, Measure] = {
    "kid": Measure(
        kid,
        ("kid",),
        "kernel distance, unbiased: the one to trust on few pictures",
        most=PUBLISHED,
    ),
    "fid": Measure(
        fid, ("fid",), "Fréchet distance: what papers print, biased on few pictures", matched=True
    ),
    "fid_infinity": Measure(
        fid_infinity,
        ("fid_infinity",),
        "Fréchet distance extrapolated to any number of samples",
        matched=True,
    ),
    "precision_recall": Measure(
        precision_recall,
        ("precision", "recall"),
        "how much looks real, how much of the real is made",
        matched=True,
        most=MOST_PAIRS,
    ),
    "density_coverage": Measure(
        density_coverage,
        ("density", "coverage"),
        "the same, mended against outliers",
        matched=True,
        most=MOST_PAIRS,
    ),
    "c2st": Measure(
        told_apart,
        ("c2st",),
        "accuracy of a linear classifier of samples and pictures; .5 cannot tell them",
        matched=True,
    ),
    "diversity": Measure(variety, ("diversity",), "distance between samples, over the reals'"),
    "ms_ssim": Measure(
        ms_ssim,
        ("ms_ssim",),
        "likeness of two samples; higher is less diverse",
        needs=frozenset({"pictures"}),
    ),
    "look_alikes": Measure(
        look_alikes, ("look_alikes",), "share of near-duplicates among samples", floor=False
    ),
    "ndb": Measure(
        bins,
        ("ndb",),
        "share of regions of the data with the wrong share of samples",
        matched=True,
        most=MOST_PAIRS,
    ),
    "copies": Measure(
        copies,
        ("copied", "authenticity", "nearest_ratio", "c_t"),
        "whether samples are copies of training pictures",
        floor=False,
    ),
    "checkerboard": Measure(
        checkerboards,
        ("checkerboard",),
        "energy at the highest frequency, over the reals'",
        needs=frozenset({"pictures"}),
    ),
    "modes": Measure(
        modes,
        ("total_variation", "modes", "high_quality"),
        "distance of points from a mixture of known modes, and the modes that they find",
        needs=frozenset({"known modes"}),
    ),
    "classified": Measure(
        classified,
        ("gan_train", "gan_test"),
        "classifiers trained on samples and tested on reals, and the reverse",
        floor=False,
        most=MOST_PAIRS,
        needs=frozenset({"classes", "held-out pictures", "pictures"}),
    ),
    "inception_score": Measure(
        inception_score,
        ("inception_score",),
        "classes: sharp and varied",
        matched=True,
        needs=frozenset({"logits"}),
    ),
}
"""Every score by the name that ``--metrics`` takes."""


def measures_for(names: Iterable[str]) -> list[Measure]:
    """Return the measures for names of measures or of their figures, each once, in that order.

    Raises UserError with the nearest name for one that does not exist.
    """
    chosen: dict[str, Measure] = {}
    for name in names:
        found = [key for key, measure in MEASURES.items() if name == key or name in measure.gives]
        if not found:
            known = [*MEASURES, *(figure for m in MEASURES.values() for figure in m.gives)]
            hint = nearest(name, known)
            raise UserError(
                f"there is no score {name!r}.{hint or f' There are: {listed(MEASURES)}.'}"
            )
        chosen[found[0]] = MEASURES[found[0]]
    return list(chosen.values())


def check_measuring(metrics: Iterable[str], features: str) -> None:
    """Raise UserError for scores or features that do not exist, before anything is packed for them."""
    from figment.metrics.features import split

    measures_for(metrics)
    if features != "auto":
        split(features)


def lacking(measure: Measure, samples: Side, reals: Side, held_out: Side | None) -> Sequence[str]:
    """Return what a measure needs and these sides do not have."""
    has = {
        "classes": len(samples.labels.unique()) > 1,
        "known modes": samples.images.ndim == 2 and len(reals.labels.unique()) > 1,
        "pictures": samples.images.ndim == 4,
        "logits": samples.logits is not None,
        "held-out pictures": held_out is not None,
    }
    return [need for need in sorted(measure.needs) if not has[need]]


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _about(value: float, interval: Interval) -> Interval:
    """Return an interval moved to lie about a value, no lower than 0."""
    middle = (interval.low + interval.high) / 2
    return Interval(max(0.0, value - middle + interval.low), value - middle + interval.high)


def _few(samples: Side, reals: Side) -> str:
    least = min(len(samples), len(reals))
    return f"only {least:,} pictures: biased, trust kid" if least < FEW else ""
