"""Few shots: a system for 50 to 2,000 photographs.

A narrow DCGAN (Radford et al. 2015) whose discriminator sees reals and fakes through DiffAugment (Zhao et
al. 2020), so that it cannot learn so few pictures by heart, and so that what changes them does not leak
into the samples. The generator repeats pixels and convolves (Odena et al. 2016), which leaves no
checkerboard; both learning rates are twice DCGAN's. What the pictures allow is decided when they are there:
classes are learned where each has enough of them, by an auxiliary classifier (Odena et al. 2017), and reals
are mirrored where the set as a whole has no left and right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from figment.recipe import Sizes
from figment.recipes.dcgan import DCGAN
from figment.techniques.augmentation import Augment

if TYPE_CHECKING:
    from figment.data import Dataset

A_CLASS = 20
"""Pictures of each class from which on classes are learned."""


@dataclass(frozen=True, kw_only=True)
class FewShot(DCGAN):
    """DCGAN for a few hundred pictures."""

    BY_DATA: ClassVar[tuple[str, ...]] = (*DCGAN.BY_DATA, "mirror", "conditioning")
    SMALLER: ClassVar[Sizes] = (
        {"width": 32, "batch": 32},
        {"width": 24, "batch": 16},
        {"width": 16, "batch": 16},
        {"width": 8, "batch": 16},
    )
    WORTHWHILE: ClassVar[Mapping[int, int]] = {32: 1}
    LARGER_STEPS: ClassVar[bool] = False

    width: int = 32
    """Channels next to the picture, doubled at every halving of the resolution."""
    batch: int = 32
    images: int = 500_000
    real_target: float = 1.0
    augment: Augment = "diffaugment"
    up: Literal["transposed", "nearest"] = "nearest"
    generator_lr: float = 4e-4
    discriminator_lr: float = 4e-4

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Learn classes, and mirror reals, where these pictures allow it and nothing else was asked."""
        from figment.data.symmetry import symmetric

        settled = self
        if "mirror" not in pinned and symmetric(dataset):
            settled = replace(settled, mirror=True)
        sizes = Counter(dataset.labels.tolist())
        enough = len(dataset.classes) > 1 and min(sizes.values()) >= A_CLASS and self.packing == 1
        if enough and not {"conditioning", "classes"} & pinned and not self.classed:
            settled = replace(settled, conditioning="classifier", classes=len(dataset.classes))
        return super(FewShot, settled).settle(dataset, pinned)


FEW_SHOT = FewShot()
