"""The words of a report, explained on the page itself: it is often all that somebody has."""

from __future__ import annotations

from figment.report import html

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


def section() -> str:
    """Return the section that explains the words of the page."""
    more = html.notes([f"All words: {GLOSSARY} in figment's source."])
    body = html.fold(f"{len(WORDS)} words", html.pairs(WORDS, "facts wide"), more)
    return html.section("words", "Words", body)
