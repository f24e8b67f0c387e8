"""onnxruntime-web, which draws in a visitor's browser: fetched once, and never anything but what is pinned.

``python -m figment.export.runtime`` fetches it, for a machine that will have no network later.
"""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import sys
import tarfile
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from figment.errors import UserError
from figment.files import cache_root, replacing
from figment.progress import progress_bar

VERSION = "1.30.0"
URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
VARIABLE = "FIGMENT_ONNXRUNTIME_WEB"
"""Environment variable with the path of the package's file, where it has been fetched already."""
CHUNK = 1 << 20  # bytes


class Runtime(NamedTuple):
    """The two files that a browser needs, by their name in the package, and their SHA-256."""

    module: str
    wasm: str
    sums: tuple[str, str]


WASM = Runtime(
    "ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm",
    (
        "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    ),
)
"""On the processor, in every browser: 14.3 MB."""
WEBGPU = Runtime(
    "ort.webgpu.bundle.min.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
    (
        "0730816731ce2cdfb06f273da065d4a1c7091eb9d1756a83b2916c8a89d015e2",
        "39f9f0894d478800487ed9f7dbe92618498db320cf55c8e3d89adff8dce658da",
    ),
)
"""On the graphics processor, where a browser has one for pages: 26.9 MB more."""


def files_of(runtime: Runtime, package: Path | None = None) -> dict[str, bytes]:
    """Return the files of a runtime by their names, from the cache, ``package`` or the registry.

    ``package``, or the environment's FIGMENT_ONNXRUNTIME_WEB, is the file that npm's registry gives out.
    Raises UserError for another file, and where there is no network, with the commands that bring it.
    """
    given = package or _from_environment()
    if given is not None:
        fetch(given)
    found = _cached(runtime)
    if found is None:
        fetch()
        found = _cached(runtime)
    assert found is not None
    return found


def fetch(package: Path | None = None, *, progress: bool = True) -> Path:
    """Put the files of both runtimes into the cache, from ``package`` or the registry; return their folder.

    Raises UserError as ``files_of`` does.
    """
    data = _downloaded(progress) if package is None else _read(package)
    if hashlib.sha256(data).hexdigest() != SHA256:
        source = URL if package is None else package
        raise UserError(
            f"{source} is not onnxruntime-web {VERSION} as it was published (another SHA-256): {_cure()}"
        )
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for name in (*WASM[:2], *WEBGPU[:2]):
            member = archive.extractfile(f"package/dist/{name}")
            assert member is not None
            with replacing(_folder() / name) as temporary:
                temporary.write_bytes(member.read())
    return _folder()


def notices() -> dict[str, bytes]:
    """Return the licence of onnxruntime and the notices of what is in it, which its npm package lacks.

    They are those of the Python package of onnxruntime, which figment-gan[export] brings: of a build with
    more parts than the one for browsers has.
    """
    spec = find_spec("onnxruntime")
    home = Path(spec.origin).parent if spec and spec.origin else Path()
    found = {"LICENSE": MIT.encode()}
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        if spec and (home / name).is_file():
            found[name] = (home / name).read_bytes()
    if "ThirdPartyNotices.txt" not in found:
        found["ThirdPartyNotices.txt"] = ELSEWHERE.encode()
    return found


def _cached(runtime: Runtime) -> dict[str, bytes] | None:
    """Return a runtime's files from the cache, None where one is missing or is not the pinned one."""
    found = {}
    for name, expected in zip(runtime[:2], runtime.sums, strict=True):
        try:
            found[name] = (_folder() / name).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(found[name]).hexdigest() != expected:
            return None
    return found


def _folder() -> Path:
    return cache_root() / "runtime" / f"onnxruntime-web-{VERSION}"


def _from_environment() -> Path | None:
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else None


def _read(package: Path) -> bytes:
    try:
        return package.read_bytes()
    except OSError as error:
        raise UserError(
            f"{package} cannot be read ({error.strerror or error}): name onnxruntime-web-{VERSION}.tgz, "
            f"which {URL} gives out"
        ) from None


def _downloaded(progress: bool) -> bytes:
    data = io.BytesIO()
    try:
        with urllib.request.urlopen(URL, timeout=30) as answer:
            size = int(answer.headers.get("Content-Length") or 0)
            with progress_bar(
                total=size or None,
                desc=f"onnxruntime-web {VERSION}",
                unit="B",
                unit_scale=True,
                shown=progress,
                leave=False,
            ) as bar:
                while chunk := answer.read(CHUNK):
                    data.write(chunk)
                    bar.update(len(chunk))
    except OSError as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UserError(
            f"a page needs onnxruntime-web {VERSION}, which could not be fetched ({reason}): {_cure()}"
        ) from None
    return data.getvalue()


def _cure() -> str:
    name = shlex.quote(f"onnxruntime-web-{VERSION}.tgz")
    return f"where there is a network: curl -fLO {URL}; then add --runtime {name}"


MIT = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
ELSEWHERE = f"""The notices of the software in onnxruntime-web {VERSION} are published at
https://github.com/microsoft/onnxruntime/blob/v{VERSION}/ThirdPartyNotices.txt
"""


if __name__ == "__main__":
    try:
        print(fetch(_from_environment()))
    except UserError as error:
        print(f"figment: {error}", file=sys.stderr)
        sys.exit(2)
