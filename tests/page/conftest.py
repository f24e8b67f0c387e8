"""One tiny generator, put on a page in every way there is, and one browser that looks at all of them."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest


CHROMIUM = "/usr/bin/chromium"


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
