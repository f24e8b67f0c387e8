"""Every system on a page: does a browser draw what Python draws, and how fast?

    python benchmarks/pages.py [SYSTEM …] [--seeds 8] [--out DIR]

The generators of `benchmarks/export.py`: of published size, not trained, made to draw with full contrast,
so that no small difference hides. Each is exported as a site with fp16 weights, which Chromium opens from
a local server, and goes from seed to seed; where it has styles, truncated in W as well. A line each:
milliseconds from a seed's address to its picture on show, the largest of the mean differences of its pixels
from Python's, of 255, and what the browser complained of. Screenshots are left below --out. Without names
one system of each kind of generator. Needs playwright and /usr/bin/chromium; exit code 1 if a system fails.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from export import widened
from figment.export.site import site
from figment.export.subject import Subject
from figment.recipes import SYSTEMS
from figment.recipes.parameters import CLASSES
from figment.sampling.generator import Generator
from figment.training import folder

CHROMIUM = Path("/usr/bin/chromium")
NEAR = 0.5
"""Mean difference, of 255, up to which pictures are the same but for the rounding of fp16."""
READ = """() => { const canvas = document.getElementById('picture'), R = canvas.width;
    return [R, [...canvas.getContext('2d').getImageData(0, 0, R, R).data]]; }"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder's files; give the address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def written(name: str, run: Path) -> Subject:
    """Return a system's generator as an export finds it: in a run folder."""
    recipe = SYSTEMS[name].recipe
    if recipe.classed and not recipe.class_count():
        recipe = replace(recipe, classes=CLASSES)
    names = [f"kind {number}" for number in range(recipe.class_count())]
    data: dict[str, Any] = {"name": "noise", "source": "noise/", "path": str(run.parent / "noise")}
    data |= {"count": 100, "classes": names, "shape": list(recipe.shape)}
    data |= {"fingerprint": "0" * 64, "held_out": []}
    machine = {
        "figment": version("figment-gan"),
        "data": data,
        "parameters": {},
        "budget": {"images": 1000},
    }
    folder.begin(run, name, recipe, machine)
    folder.write_snapshot(run, recipe, widened(recipe).net, 1000)
    return Subject(run)


def put(place: Path, subject: Subject) -> None:
    """Write the site of a generator."""
    for name, data in site([subject], title="These pictures do not exist").folder().items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class Page:
    """A page in the browser, and what was wrong with it."""

    def __init__(self, browser: Any, address: str) -> None:
        self.tab, self.complaints = browser.new_page(viewport={"width": 1100, "height": 900}), []
        self.tab.set_default_timeout(120_000)
        self.tab.on("console", self._heard)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(f"{address}#seed=0")
        self._settled("#seed=0")

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _settled(self, link: str) -> None:
        self.tab.wait_for_selector(f"#picture[data-address='{link}']", state="attached")

    def draw(self, link: str) -> tuple[np.ndarray, float]:
        """Return the picture of an address, uint8 [R, R, 3], and the milliseconds until it stood."""
        began = time.perf_counter()
        self.tab.evaluate("link => { location.hash = link }", link)
        self._settled(link)
        took = 1000 * (time.perf_counter() - began)
        side, values = self.tab.evaluate(READ)
        return np.array(values, np.uint8).reshape(side, side, 4)[..., :3], took


def difference(page: Page, generator: Generator, seeds: int) -> tuple[float, float]:
    """Return the largest mean difference from Python's pictures, of 255, and the median milliseconds."""
    apart, times = [], []
    for number in range(1, seeds + 1):
        cut = 0.5 if number % 2 == 0 else None
        link = f"#seed={number}" + ("&truncation=0.5" if cut else "")
        seen, took = page.draw(link)
        (drawn,) = generator.sample(1, seed=number, truncation=cut).array
        pixels = np.broadcast_to(drawn, (3, *drawn.shape[1:])).transpose(1, 2, 0)
        apart.append(float(np.abs(seen.astype(int) - pixels).mean()))
        times.append(took)
    return max(apart), float(np.median(times))


def one_of_each() -> list[str]:
    """Return one system of each kind of generator that draws pictures."""
    found: dict[type, str] = {}
    for name, system in SYSTEMS.items():
        recipe = system.recipe
        if recipe.kind == "images":
            found.setdefault(type(recipe), name)
    return list(found.values())


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("systems", nargs="*")
    words.add_argument("--seeds", type=int, default=8)
    words.add_argument("--out", type=Path, help="folder for screenshots")
    chosen = words.parse_args()
    from playwright.sync_api import sync_playwright

    torch.set_num_threads(1)
    failed = 0
    print("| system | px | ms a picture | off | complaints |\n|---|---|---|---|---|")
    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name in chosen.systems or one_of_each():
            with tempfile.TemporaryDirectory() as home:
                subject = written(name, Path(home) / name)
                put(Path(home) / "site", subject)
                with served(Path(home) / "site") as address:
                    page = Page(browser, address)
                    off, took = difference(page, subject.generator, chosen.seeds)
                    if chosen.out:
                        page.tab.screenshot(path=str(chosen.out / f"{name}.png"), full_page=True)
                    page.tab.close()
            failed += off > NEAR or bool(page.complaints)
            side = subject.generator.recipe.resolution
            said = "; ".join(page.complaints) or "none"
            print(f"| {name} | {side} | {took:.0f} | {off:.3f} | {said} |", flush=True)
        browser.close()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
