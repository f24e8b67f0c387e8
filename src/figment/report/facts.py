"""A run in words: what it learned from, on what machine, and how far it got."""

from __future__ import annotations

from collections.abc import Mapping

from figment.report import labels
from figment.report.reading import number
from figment.report.record import Record
from figment.units import duration

CLASSES = 20  # names that a page lists


def sentence(record: Record) -> str:
    """Return one sentence in plain words: what was trained on what, how far."""
    name = record.recipe.get("recipe")
    system = labels.system(name) if isinstance(name, str) else "An unnamed recipe"
    source = record.data.get("name")
    begun = f", begun from {record.begun_from} and" if record.begun_from else ""
    parts = [f"{system}{begun}", "trained on", str(source) if source else "unknown data"]
    described = data_words(record.data)
    if described:
        parts.append(f"({described})")
    images, seconds = record.last("images"), record.last("seconds")
    if images is None:
        return " ".join(parts) + ". Nothing is known of how far it got."
    if seconds is not None:
        parts.append(f"for {duration(seconds)}")
    facts = [f"{labels.count(images)} images seen"]
    passes, speed = record.passes, record.speed
    if passes is not None:
        facts.append(f"{labels.significant(passes)} passes over the data")
    if speed is not None:
        facts.append(f"{labels.significant(speed)} images/s in its rounds")
    device = device_words(record.machine)
    return f"{' '.join(parts)}: {', '.join(facts)}{f' on {device}' if device else ''}."


def extent(record: Record) -> list[tuple[str, str]]:
    """Return how far a run got and how large it is, as figures and their names, those that are known."""
    figures = [
        (labels.count, record.last("images"), "images seen"),
        (duration, record.last("seconds"), "in all, with preparation and scores"),
        (labels.significant, record.speed, "images per second in rounds"),
        *((labels.amount, size, f"parameters, {name}") for name, size in record.sizes.items()),
    ]
    return [(show(value), name) for show, value, name in figures if value is not None]


def data_words(data: Mapping) -> str:
    """Return ``13,217 pictures, 64×64 colour`` or ``50,000 points in 2 dimensions``."""
    shape = data.get("shape")
    shape = shape if isinstance(shape, list) else []
    found = number(data.get("count"))
    many = f"{labels.count(found)} " if found is not None else ""
    if len(shape) == 1:
        return f"{many}points in {shape[0]} dimension{'s' * (shape[0] != 1)}"
    parts = [f"{many}pictures"] if many else []
    if len(shape) == 3:
        channels, height, width = shape
        kind = {1: " grey", 3: " colour", 4: " colour with transparency"}.get(channels, "")
        parts.append(f"{width}×{height}{kind}")
    return ", ".join(parts)


def device_words(machine: Mapping) -> str:
    """Return ``Intel Xeon Processor (2 threads)``, "" where it is not known."""
    device = str(machine.get("device") or "")
    processor = str(machine.get("processor") or "").replace("(R)", "").replace("(TM)", "")
    if device == "cpu":
        device = processor or "the CPU"
        threads = number(machine.get("threads"))
        device += f" ({threads:.0f} thread{'s' * (threads != 1)})" if threads else ""
    processes = number(machine.get("processes")) or 1
    return f"{processes:.0f} processes, each on {device}" if device and processes > 1 else device


def data_rows(record: Record) -> dict[str, str]:
    """Return what is known of the data, by name."""
    data = record.data
    classes = data.get("classes")
    classes = [str(name) for name in classes] if isinstance(classes, list) else []
    more = f" and {len(classes) - CLASSES:,} more" if len(classes) > CLASSES else ""
    rows = {
        "name": _text(data.get("name")),
        "began from": record.begun_from,
        "source": _text(data.get("source")),
        "holds": data_words(data),
        "classes": ", ".join(classes[:CLASSES]) + more,
        "skipped as broken": _text(data.get("skipped")),
        "duplicates": _text(data.get("duplicates")),
        "fingerprint": _text(data.get("fingerprint")),
    }
    return {name: text for name, text in rows.items() if text}


def machine_rows(record: Record) -> dict[str, str]:
    """Return what is known of the machine, by name."""
    rows: dict[str, str] = {}
    for key, value in record.machine.items():
        if isinstance(value, str):
            rows[key] = labels.moment(value)
        elif key == "budget" and isinstance(value, dict):
            spans = [f"{_text(length)} {unit}" for unit, length in value.items() if number(length)]
            rows["planned length"] = ", ".join(spans)
        elif key not in ("coders", "data", "fields", "from", "parameters", "seconds_per_image"):
            parts = value if isinstance(value, dict) else {"": value}
            rows |= {f"{key} {part}".strip(): _text(inner) for part, inner in parts.items()}
    return {_label(name): text for name, text in rows.items() if text}


def _label(key: str) -> str:
    """Return the name of a row: ``memory_gib`` is ``memory, GiB``."""
    return key.replace("_gib", ", GiB").replace("_", " ")


def _text(value: object) -> str:
    found = number(value)
    if found is None:
        return "" if value is None else labels.plain(value)
    return labels.count(found) if found == round(found) else labels.significant(found)
