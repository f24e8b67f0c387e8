"""What a run makes now: the picture of the weights that samples are drawn from, and when that was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from figment.report import html, labels
from figment.report.cloud import cloud_figure
from figment.report.pictures import large
from figment.report.record import Record


class Newest(NamedTuple):
    """A picture on a page."""

    when: str
    """Whose it is, in words."""
    html: str
    """"" where the file holds no picture."""
    name: str
    """Of the file."""


def picture(record: Record) -> Newest | None:
    """Return what a run makes now, as far as a file shows it; None where it has not drawn anything yet."""
    found = None
    for path, when in _candidates(record):
        found = Newest(when, _drawn(path, f"samples of {record.name} {when}", record), path.name)
        if found.html:
            break
    return found


def file(record: Record) -> tuple[Path, str, tuple[int, int]] | None:
    """Return the file that shows what a run makes now, whose it is, and its size in pixels."""
    from PIL import Image

    for path, when in _candidates(record):
        try:
            with Image.open(path) as image:
                image.load()
                return path, when, image.size
        except OSError:
            continue
    return None


def _candidates(record: Record) -> Iterator[tuple[Path, str]]:
    """Return the pictures that may show it, the best first, and whose they are."""
    if record.best_picture and record.weights:
        yield record.best_picture, f"the best weights, after {_images(record.weights.images)}"
    for images, path in reversed(record.samples):
        yield path, f"after {_images(images)}"


def _images(images: float) -> str:
    return f"{labels.count(images)} images"


def _drawn(path: Path, alt: str, record: Record) -> str:
    if record.points:
        cloud = cloud_figure(path.with_suffix(".safetensors"), record.mixture)
        if cloud:
            return cloud
    try:
        return html.image(large(path), alt)
    except OSError:
        return ""
