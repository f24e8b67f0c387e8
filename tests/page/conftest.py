"""One tiny generator, put on a page in every way there is, and one browser that looks at all of them."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from figment.files import cache_root
from figment.recipe import with_fields
from figment.recipes import SYSTEMS
from figment.sampling.generator import Generator

CHROMIUM = Path("/usr/bin/chromium")
USERS_CACHE = cache_root()
"""Where this machine has onnxruntime-web, before tests have a cache of their own."""
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
    """What a server of plain files serves: a site in the folder ``sub/path``; the same as ``one.html``."""
    runs: list[Path]
    """The flowers, and faces: a generator with styles."""
    generators: dict[str, Generator]


@pytest.fixture(scope="session", autouse=True)
def few_samples() -> Iterator[None]:
    """Directions are looked for among few pictures: a thousand would be most of what an export takes."""
    from figment.export import directions

    before, directions.SAMPLES = directions.SAMPLES, 64
    yield
    directions.SAMPLES = before


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Two tiny generators, the first as a site and as a file, as ``figment export`` makes them."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    pytest.importorskip("onnxruntime")
    from figment.export.site import site
    from figment.export.subject import Subject

    root = tmp_path_factory.mktemp("published")
    plain = with_fields(SYSTEMS["dcgan"].recipe.tiny(), BY_CLASS)
    runs = [
        _write_run(root / "runs" / "flowers", "dcgan", plain),
        _write_run(root / "runs" / "faces", "stylegan2", SYSTEMS["stylegan2"].recipe.tiny()),
    ]
    subjects = [Subject(run) for run in runs]
    with _runtime():
        one = site(subjects[:1], title="These flowers do not exist")
    _put(root / "sub" / "path", one.folder())
    (root / "one.html").write_bytes(one.alone())
    return Published(root, runs, {subject.name: subject.generator for subject in subjects})


def _write_run(run: Path, system: str, recipe: Any) -> Path:
    """Write a run whose pictures are not grey, as the tests of exporting do, with a line of its log.

    A DCGAN was measured before its training only, others half-way, too.
    """
    path = Path(__file__).parents[1] / "export" / "small_runs.py"
    spec = importlib.util.spec_from_file_location("runs_to_export", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_run(run, system, recipe)
    (run / "log.jsonl").write_text(json.dumps({"images": 1000, "seconds": 1.0}) + "\n")
    moments = (0,) if system == "dcgan" else (0, 500)
    lines = [{"images": at, "scores": {"kid": {"value": 2 - at / 1000}}} for at in moments]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def _put(folder: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@contextmanager
def _runtime() -> Iterator[None]:
    """Have onnxruntime-web found where this machine has it; skip where it has not: tests fetch nothing."""
    from figment.export import runtime

    here = runtime.VARIABLE in os.environ or any(USERS_CACHE.glob("runtime/*/*.wasm"))
    if not here:
        pytest.skip("onnxruntime-web is not here: python -m figment.export.runtime fetches it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(USERS_CACHE))
        yield


@pytest.fixture(scope="session")
def plain_files(published: Published) -> Iterator[str]:
    """The address of a server of plain files, which knows nothing of the page."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Handler, directory=str(published.root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def serving(runs: list[Path]) -> Iterator[str]:
    """Serve runs as ``figment serve`` does; give the address."""
    for module in ("fastapi", "httptools", "python_multipart", "prometheus_client"):
        pytest.importorskip(module)
    from figment.serve.app import application
    from figment.serve.counters import Counters
    from figment.serve.limits import Limits
    from figment.serve.models import How, open_models
    from figment.serve.server import Server

    class Threaded(Server):
        def capture_signals(self) -> Any:  # which belong to the tests' own thread
            return nullcontext()

    models = open_models(runs, How(engine="torch", trust=True))
    limits, counters = Limits(), Counters()
    server = Threaded(application(models, limits=limits, counters=counters), limits, counters)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, no longer than these tests: an event loop runs in this thread meanwhile."""
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def visit(
    browser: Any, plain_files: str, published: Published
) -> Iterator[Callable[..., AbstractContextManager[Visitor]]]:
    """Return what opens a page in a browser of its own: ``with visit("site", "#seed=7") as visitor``.

    Hosts are "site", "file", "server", "several" (a server of two) and "site from disk".
    """
    servers = {"server": published.runs[:1], "several": published.runs}
    places = {
        "site": f"{plain_files}/sub/path/",
        "file": (published.root / "one.html").as_uri(),
        "site from disk": (published.root / "sub" / "path" / "index.html").as_uri(),
    }
    with ExitStack() as running:

        @contextmanager
        def open_page(host: str, link: str) -> Iterator[Visitor]:
            if host not in places:
                places[host] = running.enter_context(serving(servers[host]))
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            visitor = Visitor(context.new_page(), places[host], published.generators["flowers"])
            visitor.page.goto(places[host] + link)
            try:
                yield visitor
            finally:
                context.close()

        yield open_page
