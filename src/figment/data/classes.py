"""Whether every class of a data set has pictures to be learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figment.errors import UserError

if TYPE_CHECKING:
    from figment.data.dataset import Dataset
    from figment.data.glance import Look

FEW = 5
"""Pictures of a class below which it is said that they are few."""


def check_count(dataset: Dataset) -> None:
    """Raise UserError where there is a single picture: nothing can be learned or scored from it."""
    if len(dataset) == 1:
        more = f" ({len(dataset.skipped):,} more cannot be read)" if dataset.skipped else ""
        raise UserError(
            f"{dataset.source} holds one picture{more}: a GAN learns what many have in common, give it "
            "50 or more of the same kind"
        )


def check_classes(look: Look, dataset: Dataset) -> str:
    """Return what is to be said of classes with too few pictures to be learned, "" where there are none.

    Raises UserError where no picture of a class can be read.
    """
    lost = [name for name in look.classes if name not in dataset.classes]
    if look.classes and not dataset.classes:
        some = ", ".join(look.classes[:3]) + (" ..." if len(look.classes) > 3 else "")
        raise UserError(
            f"pictures of only one of the classes {some} can be read: mend the others in {look.name}, or "
            "train without classes: --conditioning none"
        )
    if lost:
        raise UserError(
            f"no picture of class {lost[0]} can be read: mend them, or take it out of {look.name}"
        )
    sizes = [int((dataset.labels == number).sum()) for number in range(len(dataset.classes))]
    few = [name for name, size in zip(dataset.classes, sizes, strict=True) if size < FEW]
    more = f" and {len(few) - 3} more" if len(few) > 3 else ""
    said = f"under {FEW} pictures of {', '.join(few[:3])}{more}: too few to learn from"
    return said if few else ""
