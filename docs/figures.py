"""Draw the figures of the techniques' pages from the tables of docs/results/ablation.md.

    python docs/figures.py

Writes docs/techniques/figures/NAME.svg for every page of PAGES: where the technique, switched on alone,
lies among all that were measured.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parent
TABLE = DOCS / "results" / "ablation.md"
FIGURES = DOCS / "techniques" / "figures"
PAGES = {
    "balance": ("balance at .8",),
    "consistency": (
        "consistency 10 (CR)",
        "consistency 10 / 10 (bCR)",
        "latent consistency 5 / .5 (zCR)",
    ),
    "critic-norm": ("no batch norm in D", "WGAN-GP, critic without norm"),
    "dropout": ("dropout .3",),
    "experience-replay": ("experience replay 2,048",),
    "extragradient": ("extragradient", "optimistic", "simultaneous"),
    "feature-matching": ("feature matching alone", "feature matching beside the loss"),
    "gradient-penalty": (
        "WGAN-GP, critic without norm",
        "WGAN-GP one-sided, critic without norm",
        "zero-centred penalty 10",
        "DRAGAN 10",
    ),
    "hinge": ("hinge",),
    "historical-averaging": ("historical averaging .01",),
    "instance-noise": ("instance noise .1, fading",),
    "label-smoothing": ("one-sided smoothing .9", "two-sided smoothing .9 / .1"),
    "least-squares": ("least squares",),
    "lecam": ("LeCam .1, from round 1,000",),
    "minibatch-discrimination": ("minibatch discrimination, 64 kernels",),
    "minibatch-stddev": ("minibatch stddev",),
    "minimax": ("minimax",),
    "mirror": ("mirrored reals",),
    "moves": ("two moves of D", "two moves of G"),
    "non-saturating": ("minimax",),
    "orthogonal": ("orthogonal 1e-4",),
    "packing": ("packing 2",),
    "r1-r2": ("R1 1", "R1 1 + R2 1", "relativistic pairing + R1 + R2, no norm"),
    "relativistic": ("relativistic pairing", "relativistic average"),
    "self-attention": ("self-attention at 8 px",),
    "spectral-norm": ("spectral norm in D, no batch norm there",),
    "svre": ("SVRE", "extragradient"),
    "top-k": ("top-k, down to half",),
    "ttur": ("TTUR: D 4e-4, G 1e-4", "TTUR: D 1e-4, G 4e-4"),
    "unrolled": ("unrolled, K = 1", "unrolled, K = 5"),
    "virtual-batch-norm": ("virtual batch norm in G", "reference batch norm in G"),
    "wasserstein": ("Wasserstein, clip .01, RMSprop 5e-5", "WGAN-GP, critic without norm"),
    "weight-average": ("no average of weights",),
}
"""The lines of the tables that a page's figure shows, beside the plain network."""
PLAIN = "plain"
WIDTH, LEFT, ROW = 640, 250, 22  # pixels
INK, FAINT, OWN, PLAIN_INK = "#33363b", "#c3c7cd", "#c2410c", "#0f766e"


class Measured(NamedTuple):
    """A line of a table: KID, and its interval over all seeds."""

    kid: float
    low: float
    high: float


def tables() -> dict[str, dict[str, Measured]]:
    """Return the measured lines by technique, of each set of pictures."""
    found: dict[str, dict[str, Measured]] = {}
    lines: dict[str, Measured] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\S+)\.zip$", line):
            lines = found.setdefault(heading[1], {})
        elif line.startswith("## "):
            lines = {}
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and re.fullmatch(r"[\d.]+", cells[1]):
            ends = [float(end) for end in re.findall(r"[\d.]+", cells[2])]
            lines[cells[0]] = Measured(float(cells[1]), min(ends), max(ends))
    return found


def figure(names: tuple[str, ...], sets: dict[str, dict[str, Measured]]) -> str:
    """Return the figure of some techniques as SVG: a panel a set of pictures."""
    shown = {data: [n for n in names if n in lines] for data, lines in sets.items()}
    heights = {data: 62 + ROW * (len(own) + 1) for data, own in shown.items()}
    parts, top = [], 0
    for data, own in shown.items():
        parts += _panel(data, own, sets[data], top)
        top += heights[data]
    style = "font-family='system-ui, sans-serif' font-size='12'"
    box = f"viewBox='0 0 {WIDTH} {top}' width='{WIDTH}' height='{top}'"
    back = f"<rect width='{WIDTH}' height='{top}' rx='6' fill='#ffffff'/>"
    body = "\n".join([back, *parts])
    return f"<svg xmlns='http://www.w3.org/2000/svg' {box} {style}>\n{body}\n</svg>\n"


def _panel(data: str, own: list[str], lines: dict[str, Measured], top: int) -> list[str]:
    low = min(line.low for line in lines.values())
    high = max(line.high for line in lines.values())

    def x(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - 24) * (value - low) / (high - low), 1)

    title = f"{data}, KID x 1000 (lower is better); grey: all that was measured"
    parts = [_text(12, top + 20, title, INK)]
    bottom = top + 40 + ROW * (len(own) + 1)
    all_of_them = "".join(f"M{x(line.kid)} {top + 30}V{bottom - 8}" for line in lines.values())
    parts.append(f"<path d='{all_of_them}' stroke='{FAINT}'/>")
    for place, name in enumerate([PLAIN, *own]):
        y, ink = top + 42 + ROW * place, PLAIN_INK if name == PLAIN else OWN
        line = lines[name]
        parts += [
            _text(12, y + 4, name, ink),
            f"<path d='M{x(line.low)} {y}H{x(line.high)}' stroke='{ink}' stroke-width='3'/>",
            f"<circle cx='{x(line.kid)}' cy='{y}' r='5' fill='{ink}'/>",
        ]
    ends = f"{low:,.0f}", f"{high:,.0f}"
    parts.append(_text(LEFT, bottom + 8, ends[0], INK))
    parts.append(_text(WIDTH - 24, bottom + 8, ends[1], INK, "end"))
    return parts


def _text(x: float, y: float, words: str, ink: str, anchor: str = "start") -> str:
    return f"<text x='{x}' y='{y}' fill='{ink}' text-anchor='{anchor}'>{escape(words)}</text>"


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    sets = tables()
    for page, names in PAGES.items():
        (FIGURES / f"{page}.svg").write_text(figure(names, sets), encoding="utf-8")


if __name__ == "__main__":
    main()
