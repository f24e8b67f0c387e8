"""The words of a report, explained on the page itself: it is often all that somebody has."""

from __future__ import annotations

from collections.abc import Iterable

from figment.metrics.score import Score
from figment.report import html, labels

GLOSSARY = "docs/glossary.md"
WORDS = {
    "images seen": "Real pictures shown to the discriminator so far, repeats counted: the unit of time.",
    "discriminator, D": "The network that learns to tell real pictures from generated ones.",
    "generator, G": "The network that makes pictures.",
    "latent": "The random numbers that the generator makes a picture of.",
    "reals, fakes": "Pictures of the data, and pictures that the generator has made.",
    "held out": "Real pictures that training never sees, kept to compare with.",
    "floor": "What real pictures score in the samples' place: what a perfect generator would get.",
    "95 % interval": "The range that holds the true value with 95 % probability.",
    "KID, FID": "Distances of the samples from the data in the eyes of a network; 0 is no difference.",
    "features": "What that network sees. Figures of different features do not compare.",
    "mode": "A kind of picture among the data. Mode collapse: only a few kinds are still made.",
    "look-alikes": "Samples that nearly repeat other samples.",
    "copy": "A sample nearer to a training picture than real pictures are to each other.",
    "penalty": "A term added to a player's loss.",
    "tick": "A line of the log: means over so many images.",
    "snapshot": "The generator's weights at a moment.",
}
SCORES = {
    "fid_infinity": "FID carried on to infinitely many samples, since FID is too high for few.",
    "precision": "Share of the samples that lie among real pictures: how much looks real.",
    "recall": "Share of the real pictures that lie among samples: how much of the variety is made.",
    "density": "Precision that counts how many real pictures a sample lies among; about 1 is right.",
    "coverage": "Share of the real pictures that have a sample near them: recall, mended against outliers.",
    "c2st": "How often a simple classifier tells samples from real pictures; 0.5 is guessing.",
    "diversity": "Distance between two samples over that between two real pictures; 1 is right.",
    "ms_ssim": "How alike two samples are on average, at several scales; higher is less varied.",
    "look_alikes": "Share of the samples that nearly repeat another sample.",
    "ndb": "Share of the kinds of real pictures of which there are too many or too few samples.",
    "copied": "Share of the samples that repeat a training picture, also mirrored or shifted.",
    "authenticity": "Percentage of samples farther from a training picture than that is from its like.",
    "nearest_ratio": "Share of the samples far nearer to one training picture than to the next.",
    "c_t": "Whether samples lie nearer to training pictures than unseen real ones do: below 0 they do.",
    "checkerboard": "Strength of the finest grid of pixels over that in real pictures; 1 is right.",
    "inception_score": "Whether samples look like things of ImageNet, each clearly one, and many of them.",
    "gan_train": "Accuracy on real pictures of a classifier that has learned from samples.",
    "gan_test": "Accuracy on samples of a classifier that has learned from real pictures.",
    "total_variation": "How far the shares of the modes among samples are from the data's; 0 is right.",
    "modes": "Modes on which a sample lies.",
    "high_quality": "Share of the samples that lie on a mode.",
    "accuracy": "Share of the pictures whose class the run's own classifier names.",
}
"""What each score says, by its name in files; docs/glossary.md has the same by its name on pages."""


def section(scores: Iterable[str] = ()) -> str:
    """Return the section that explains the words of the page, and the scores that it shows by name."""
    shown = {labels.score(Score(name, 0.0)): SCORES[name] for name in SCORES if name in {*scores}}
    words = {word: text for word, text in WORDS.items() if word.capitalize() not in shown}
    more = html.notes([f"All words: {GLOSSARY} in figment's source."])
    told = html.pairs(words | shown, "facts wide")
    return html.section("words", "Words", html.fold(f"{len(words | shown)} words", told, more))
