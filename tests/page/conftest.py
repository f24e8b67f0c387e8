"""One tiny generator, put on a page in every way there is, and one browser that looks at all of them."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from figment import page
from figment.recipe import with_fields
from figment.recipes import SYSTEMS
from figment.recipes.stylegan2 import STYLEGAN2_64
from figment.sampling.generator import Generator

CHROMIUM = Path("/usr/bin/chromium")
STYLED = "figment.recipes.stylegan2:STYLEGAN2_64"
BY_CLASS = {"conditioning": "concat", "classes": 2, "class_shares": (0.3, 0.7)}


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
        self.page.wait_for_selector("#picture[data-address]", state="attached")
        if self.page.get_attribute("#picture", "data-address") != self.link():
            self.page.wait_for_selector(f"#picture[data-address='{self.link()}']", state="attached")

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


class Published(NamedTuple):
    """A tiny generator on pages."""

    root: Path
    """What a server of plain files serves; the site is in its folder ``sub/path``."""
    single: Path
    """The same as one file."""
    several: Path
    """A site of two generators, in ``root``, the second with styles."""
    generators: dict[str, Generator]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Two tiny generators as sites and as a file."""
    runtime = _runtime()
    root = tmp_path_factory.mktemp("published")
    plain = with_fields(SYSTEMS["dcgan"].recipe.tiny(), BY_CLASS)
    runs = {
        "flowers": _write_run(root / "runs" / "flowers", "dcgan", plain, ("rose", "tulip")),
        "faces": _write_run(root / "runs" / "faces", STYLED, STYLEGAN2_64.tiny()),
    }
    models = {name: _model(name, run) for name, run in runs.items()}
    one = _config("flowers")
    _put(root / "sub" / "path", {**page.site(one), **runtime, **models["flowers"]})
    single = root / "one.html"
    single.write_text(page.page({**one, "host": "file"}, {**runtime, **models["flowers"]}))
    everything = {**models["flowers"], **models["faces"]}
    _put(root / "several", {**page.site(_config("flowers", "faces")), **runtime, **everything})
    generators = {name: generator_at(run) for name, run in runs.items()}
    return Published(root, single, root / "several", generators)


def generator_at(run: Path) -> Generator:
    import figment

    return figment.load(run, trust=True).generator


def _config(*names: str) -> dict[str, Any]:
    models = [{"name": name, "title": f"These {name} do not exist"} for name in names]
    return {"host": "site", "models": [{**one, "at": f"models/{one['name']}/"} for one in models]}


def _write_run(run: Path, system: str, recipe: Any, classes: tuple[str, ...] = ()) -> Path:
    """Write a run of pictures that are not grey: those of the tests of exporting."""
    path = Path(__file__).parents[1] / "export" / "conftest.py"
    spec = importlib.util.spec_from_file_location("runs_to_export", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_run(run, system, recipe, classes)


def _model(name: str, run: Path) -> dict[str, bytes]:
    import pickle
    c = Path(f"/tmp/pagruns/cache-{name}.pkl")
    if not c.exists():
        c.write_bytes(pickle.dumps(_model2(name, run)))
    return pickle.loads(c.read_bytes())


def _model2(name: str, run: Path) -> dict[str, bytes]:
    """Return a model's files by their places in a site."""
    from figment.export.onnx_export import onnx_files
    from figment.export.subject import Subject

    subject = Subject(run, trust=True)
    made = onnx_files(subject, "fp16")
    axes = np.eye(6, made.about["latent"]["size"]).tolist()
    directions = [
        {"name": str(place + 1), "vector": axis, "range": 3.0} for place, axis in enumerate(axes)
    ]
    about = {**made.about, "name": name, "directions": directions}
    found = {about[part]["file"]: data for part, data in made.files.items()}
    found["model.json"] = json.dumps(about).encode()
    return {f"models/{name}/{file}": data for file, data in found.items()}


def _put(folder: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _runtime() -> dict[str, bytes]:
    place = Path(os.environ.get("FIGMENT_RUNTIME", "/tmp/pagruns/package/dist"))
    names = [Path(name) for name in page.RUNTIME.values()]
    if not all((place / name.name).exists() for name in names):
        pytest.skip("onnxruntime-web is not here")
    return {str(name): (place / name.name).read_bytes() for name in names}


@pytest.fixture(scope="session")
def plain_files(published: Published) -> Iterator[str]:
    """The address of a server of plain files, which knows nothing of the page."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Handler, directory=str(published.root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def visit(browser: Any, plain_files: str, published: Published) -> Callable[..., Any]:
    """Return what opens a page in a browser of its own: ``visit("site", "#seed=7") as visitor``."""

    @contextmanager
    def open_page(host: str, link: str) -> Iterator[Visitor]:
        address = {
            "site": f"{plain_files}/sub/path/",
            "file": published.single.as_uri(),
            "several": f"{plain_files}/several/",
            "site from disk": (published.root / "sub" / "path" / "index.html").as_uri(),
        }[host]
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        visitor = Visitor(context.new_page(), address, published.generators["flowers"])
        visitor.page.goto(address + link)
        try:
            yield visitor
        finally:
            context.close()

    return open_page
