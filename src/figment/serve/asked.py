"""What requests may ask for, as pydantic checks it and OpenAPI shows it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from figment.serve.encoding import Format
from figment.serve.limits import LARGEST_LATENT, LARGEST_SEED, LARGEST_TRUNCATION, Limits

MOST = Limits()
"""The bounds that OpenAPI names."""
NAME = 1_000
"""Letters of the name of a class."""


def _whole(value: Any) -> Any:
    """Refuse words that Python would take for whole numbers: 1_000, +7, 7.0, other alphabets' digits."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}", value):
        raise ValueError("a whole number")
    return value


def _seeds(value: Any) -> Any:
    """Return the seeds of ``1,2,3``, a parameter that comes as a list of one."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0].split(",")[: MOST.stops + 1]
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Seed = Annotated[Whole, Field(ge=0, le=LARGEST_SEED)]
Truncation = Annotated[float, Field(gt=0, le=LARGEST_TRUNCATION, allow_inf_nan=False)]
Latent = list[Annotated[float, Field(ge=-LARGEST_LATENT, le=LARGEST_LATENT, allow_inf_nan=False)]]


class Asked(BaseModel):
    """What all requests share: nothing that is not known is passed over."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class Image(Asked):
    """A picture."""

    seed: Seed | None = Field(None, description="Which picture; without it a new one each time.")
    class_: str | None = Field(
        None,
        alias="class",
        max_length=NAME,
        description="Name of its class; the seed's without it.",
    )
    truncation: Truncation | None = Field(
        None, description="Where latents are cut off, or how far styles keep from their mean."
    )
    format: Format = "png"
    v: str | None = Field(
        None,
        max_length=64,
        description="The model's version: the answer may then be kept for good.",
    )


class Grid(Asked):
    """Pictures of seeds that follow each other, as one."""

    seed: Seed = 0
    count: Annotated[Whole, Field(ge=1, le=MOST.grid)] = 16
    columns: Annotated[Whole, Field(ge=1, le=MOST.grid)] | None = Field(
        None, description="Pictures in a row; about as many as rows without it."
    )
    class_: str | None = Field(None, alias="class", max_length=NAME)
    truncation: Truncation | None = None
    format: Literal["png", "webp", "jpeg"] = "png"
    v: str | None = Field(None, max_length=64)


class Walk(Asked):
    """A film of the way from picture to picture."""

    seeds: Annotated[
        list[Seed], BeforeValidator(_seeds), Field(min_length=1, max_length=MOST.stops)
    ] = Field([1, 2, 3], description="Where it passes, as 1,2,3.")
    class_: list[Annotated[str, Field(max_length=NAME)]] = Field(
        [],
        alias="class",
        max_length=MOST.stops,
        description="The class of each stop, or one of them all.",
    )
    truncation: Truncation | None = None
    frames: Annotated[Whole, Field(ge=2, le=MOST.frames)] = 72
    fps: Annotated[Whole, Field(ge=1, le=60)] = 24
    loop: bool = True
    format: Literal["webp", "gif", "mp4"] = "webp"
    v: str | None = Field(None, max_length=64)


class Second(Asked):
    """Whose styles the later layers are given."""

    latents: Annotated[list[Latent], Field(min_length=1, max_length=MOST.latents)]
    layer: Annotated[int, Field(ge=0, le=1_000, strict=True)]


class Draw(Asked):
    """Pictures of latents."""

    latents: Annotated[list[Latent], Field(min_length=1, max_length=MOST.latents)]
    labels: list[Annotated[int, Field(ge=0, le=1 << 20, strict=True)]] | None = Field(
        None, description="The number of each one's class, where the generator has classes."
    )
    truncation: Truncation | None = Field(None, description="Of styles; latents come cut off.")
    second: Second | None = None


class DrawHow(Asked):
    """How drawn pictures are to be sent."""

    format: Format | None = Field(
        None,
        description="One picture of them all, side by side; raw: their bytes [N, H, W, C]. By the Accept"
        " header without it.",
    )


class Project(Asked):
    """How a picture is looked for."""

    class_: str | None = Field(None, alias="class", max_length=NAME)
    steps: Annotated[Whole, Field(ge=1, le=300)] = 60
    seed: Annotated[Whole, Field(ge=0, le=1 << 62)] = 0
