"""What machine.json must say for a run to be used: checked, because anybody may have written it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from figment.records import Unreadable

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Side = Annotated[int, msgspec.Meta(ge=1, le=1 << 20)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]


class Data(msgspec.Struct):
    """What the run was trained on."""

    name: str
    path: str
    count: Count
    classes: list[str]
    shape: Annotated[list[Side], msgspec.Meta(min_length=1, max_length=3)]
    fingerprint: str
    duplicates: Count = 0


class Length(msgspec.Struct):
    """How long it was to be: in images or in minutes."""

    images: Annotated[int, msgspec.Meta(ge=1, le=1 << 53)] | None = None
    minutes: Amount | None = None


class Machine(msgspec.Struct):
    """What is read of machine.json; it may say more, and a later version will."""

    data: Data
    parameters: dict[str, Count]
    budget: Length
    figment: str = ""
    estimate: dict[str, Amount | None] = {}
    seconds_per_image: list[Amount] = []
    metric_every: Count = 0
    ended: Count = 0


def checked(written: dict[str, Any]) -> dict[str, Any]:
    """Return what machine.json says as it is. Raises Unreadable where something is missing or wrong."""
    try:
        found = msgspec.convert(written, Machine)
    except (msgspec.ValidationError, OverflowError, RecursionError) as error:
        text = str(error).replace("`", "").replace("$.", "")
        raise Unreadable(f"{text[:1].lower()}{text[1:]}") from None
    if len(found.data.shape) == 2 or found.budget == Length():
        raise Unreadable("its data have no shape, or its budget no length")
    if isinstance(written["budget"].get("images"), float):  # such as 16.0, which msgspec takes
        raise Unreadable("its budget's images are no whole number")
    return written
