"""Numbers and names as they are printed in reports: 13,217 and 3.58 M and KID."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from figment.metrics.score import NAMES, Score
from figment.units import significant

SCORES = {
    "ms_ssim": "Likeness (MS-SSIM)",
    "look_alikes": "Look-alikes",
    "ndb": "Uneven kinds (NDB)",
    "c2st": "Told apart (C2ST)",
    "copied": "Copies",
    "nearest_ratio": "Too near one picture",
    "c_t": "Nearer than unseen (C_T)",
    "inception_score": "Inception Score",
    "gan_train": "GAN-train",
    "gan_test": "GAN-test",
    "modes": "Modes found",
    "high_quality": "Points on a mode",
}
FLOOR = "real against real"
MARKUP = re.compile(r"[\\`*_\[\]<>|#]")
"""What Markdown may take for more than a letter."""
BETTER = {
    "lower": "lower is better",
    "higher": "higher is better",
    "floor": "closest to the real pictures' value is best",
}


def count(value: float) -> str:
    """Return a whole number with thousands separated, ``13,217``."""
    return f"{round(value):,}"


def amount(value: float) -> str:
    """Return three significant digits and a unit for thousands and more, ``3.58 M``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{significant(value / size)} {unit}"
    return significant(value)


def moment(stamp: str) -> str:
    """Return an ISO time as ``2026-11-22 04:00 UTC``; anything else comes back as it was."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:[\d.]+)?(Z|\+00:00)", stamp)
    return f"{found[1]} {found[2]} UTC" if found else stamp


def markdown(text: str) -> str:
    """Return text that Markdown shows as it is: no markup of whoever named data, classes or runs."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def sentences(text: str) -> str:
    """Return text likewise, in which `code` stays code."""
    parts = re.split("(`[^`]+`)", " ".join(text.split()))  # every second one is code
    return "".join(
        part if place % 2 else MARKUP.sub(r"\\\g<0>", part) for place, part in enumerate(parts)
    )


def plain(value: object) -> str:
    """Return a value of a recipe: as its JSON says it, but text bare, null as ``none``, and 62,401."""
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def score(score: Score) -> str:
    """Return a score's name as it is written in the field, ``FID(efficientnet)`` or ``Precision``."""
    name = score.name
    if name in NAMES:
        return score.called()
    return SCORES.get(name) or sentence_case(name.replace("_", " ").replace("-", " "))


def interval(low: float | None, high: float | None) -> str:
    """Return ``0.0010 – 0.0014``, "" where an end is not known."""
    return "" if low is None or high is None else f"{significant(low)} – {significant(high)}"


def marked(protocols: Iterable[str]) -> dict[str, str]:
    """Return the protocols, each once, with the mark that refers to it, ``[1]``; "" where there is one."""
    found = [protocol for protocol in dict.fromkeys(protocols) if protocol]
    return {
        one: f"[{number}]" if len(found) > 1 else "" for number, one in enumerate(found, start=1)
    }


def sentence_case(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return ``a, b and c``."""
    *head, tail = names
    return f"{', '.join(head)} {last} {tail}" if head else tail


def system(name: str) -> str:
    """Return a recipe's name as it is written in the field: the acronyms in capitals."""
    return re.sub(r"\b(d?c?w?gan|mlp|gp|vae|ae)\b", lambda found: found[0].upper(), name)
