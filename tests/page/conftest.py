"""One tiny generator, put on a page in every way there is, and one browser that looks at all of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest


@pytest.fixture(scope="session")
def run_module() -> Callable[[str, Any], Any]:
    """Return what runs JavaScript in Node.js with modules of the page, and returns what ``answer`` is.

    The text finds the modules' folder in ``page`` and what it was given in ``given``.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")

    def run(text: str, given: Any = None) -> Any:
        here = str(files("figment.page"))
        begin = f"const page = {json.dumps(here)}, given = {json.dumps(given)}; let answer;"
        code = f"{begin}\n{text}\nconsole.log(JSON.stringify(answer));"
        words = [node, "--input-type=module", "--eval", code]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


class Visitor:
    """Somebody who looks at a page, and who notes what goes wrong on it."""

    def __init__(self, page: Any, address: str, generator: Any) -> None:
        self.page, self.address, self.generator = page, address, generator
        self.problems: list[str] = []
        """Errors on the console, and requests to elsewhere."""
        page.set_default_timeout(30_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def _asked(self, request: Any) -> None:
        home = self.address.partition("#")[0].rpartition("/")[0]
        if not request.url.startswith((home, "blob:", "data:")):
            self.problems.append(f"a request to {request.url[:200]}")

    def settle(self) -> None:
        """Wait until the picture of the address is on show."""
        self.page.wait_for_function(
            "document.getElementById('picture')?.dataset.address === location.hash"
        )

    def go(self, link: str) -> None:
        self.page.evaluate("link => { location.hash = link }", link)
        self.settle()

    def link(self) -> str:
        return self.page.evaluate("location.hash")

    def slide(self, label: str, value: float) -> None:
        """Move a slider, as a hand does."""
        slider = self.page.locator(f".slider:has-text('{label}') input:visible")
        slider.evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }",
            value,
        )
        self.settle()

    def pixels(self) -> np.ndarray:
        """Return what is on show, uint8 [R, R, 3]."""
        side, values = self.page.evaluate(
            "(() => { const canvas = document.getElementById('picture'), R = canvas.width;"
            " return [R, [...canvas.getContext('2d').getImageData(0, 0, R, R).data]]; })()"
        )
        return np.array(values, np.uint8).reshape(side, side, 4)[..., :3]

    def drawn(self, seed: int, **how: Any) -> np.ndarray:
        """Return what Python draws, uint8 [R, R, 3]."""
        (pixels,) = self.generator.sample(1, seed=seed, **how).array
        return np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
