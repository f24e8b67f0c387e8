"""The page's files, and the HTML that holds them together: linked, or all inside one file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files as resources
from importlib.resources.abc import Traversable
from typing import Any

from figment.files import MARK

OWN = (".css", ".js")
"""Endings of the files in this folder that a browser is given."""
WORKER = "service-worker.js"
AT_ROOT = (WORKER, "icon.svg")
"""Files that lie beside index.html: a service worker rules over its own folder only."""
RUNTIME = {
    "module": "runtime/ort.wasm.bundle.min.mjs",
    "wasm": "runtime/ort-wasm-simd-threaded.wasm",
}
"""Where a site has onnxruntime-web, unless its config says otherwise."""


def files() -> dict[str, bytes]:
    """Return the page's files by their place in a site, index.html and manifest apart."""
    here = resources("figment.page")
    found = {name: here.joinpath(name).read_bytes() for name in AT_ROOT}
    found |= {f"page/{name}": text for name, text in _walk(here).items() if name not in found}
    kept = json.dumps(sorted(found.keys() - {WORKER}))
    found[WORKER] = found[WORKER].replace(b"const PAGE = [];", f"const PAGE = {kept};".encode())
    return found


def site(config: Mapping[str, Any]) -> dict[str, bytes]:
    """Return all of the page's files for a config (see ``page``), by their place in a site."""
    return {
        "index.html": page(config).encode(),
        "manifest.webmanifest": manifest(config).encode(),
        **files(),
    }


def page(config: Mapping[str, Any], inline: Mapping[str, bytes] | None = None) -> str:
    """Return the HTML of the page.

    ``config`` has "host" ("site", "server" or "file"), "models", a list of {"name", "title", "at"} where
    "at" is the folder of its model.json, relative and with a slash at its end, and, if the page draws by
    itself, "runtime" {"module", "wasm"} and "webgpu", the same for a browser with a GPU, or none of it.
    With ``inline``, the files that a site would have beside the page by their places there, the page has
    style, modules and files inside it and needs nothing else.
    """
    config = {"host": "site", "models": [], **config}
    if config["host"] != "server":
        config.setdefault("runtime", RUNTIME)
    head = _head_of_one_file() if inline is not None else _head_of_many()
    script = _read("one-file.js" if inline is not None else "many-files.js")
    policy = _policy(config, script, alone=inline is not None)
    body = _read("body.html").replace("{title}", escape(_title(config)))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="{MARK}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{escape(_title(config))}</title>
{head}
</head>
<body>
{body}
<script type="application/json" id="figment">{_json(config)}</script>
{_inlined(inline or {})}<script>{script}</script>
</body>
</html>
"""


def manifest(config: Mapping[str, Any]) -> str:
    """Return the manifest that makes a page installable."""
    return json.dumps(
        {
            "name": _title(config),
            "short_name": _title(config)[:24],
            "description": MARK,
            "start_url": "./",
            "display": "standalone",
            "background_color": "#131519",
            "theme_color": "#131519",
            "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}],
        },
        indent=1,
    )


def _title(config: Mapping[str, Any]) -> str:
    """Return the name of the only model, or of the page where there are several."""
    models = config.get("models", [])
    if config.get("title"):
        return config["title"]
    return (models[0].get("title") or models[0]["name"]) if len(models) == 1 else "Generators"


def _policy(config: Mapping[str, Any], script: str, *, alone: bool) -> str:
    """Return the content security policy: nothing comes from elsewhere, no script but the page's own."""
    own = f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
    wasm = "" if config["host"] == "server" else " 'wasm-unsafe-eval'"
    rules = {
        "default-src": "'none'",
        "script-src": f"{own} blob:{wasm}" if alone else f"'self' {own}{wasm}",
        "worker-src": "blob:" if alone else "'self'",
        "style-src": "'unsafe-inline'" if alone else "'self'",
        "img-src": "blob: data:" if alone else "'self' blob: data:",
        "media-src": "blob:",
        "connect-src": "blob:" if alone else "'self' blob:",
        "manifest-src": "'none'" if alone else "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {value}" for rule, value in rules.items())


def _head_of_many() -> str:
    return (
        '<link rel="icon" href="icon.svg" type="image/svg+xml">\n'
        '<link rel="manifest" href="manifest.webmanifest" crossorigin="use-credentials">\n'
        '<link rel="stylesheet" href="page/palette.css">\n'
        '<link rel="stylesheet" href="page/page.css">'
    )


def _head_of_one_file() -> str:
    icon = base64.b64encode(resources("figment.page").joinpath("icon.svg").read_bytes()).decode()
    return (
        f'<link rel="icon" href="data:image/svg+xml;base64,{icon}">\n'
        f"<style>\n{_read('palette.css')}\n{_read('page.css')}</style>"
    )


def _inlined(inline: Mapping[str, bytes]) -> str:
    """Return the modules and the files of a page that is alone, each as a block of text; "" for none."""
    if not inline:
        return ""
    own = {name: text.decode() for name, text in files().items() if name.startswith("page/")}
    modules = {name: text for name, text in own.items() if name.endswith(".js")}
    blocks = [f'<script type="application/json" id="modules">{_json(_in_order(modules))}</script>']
    blocks += [
        f'<script type="application/octet-stream" data-file="{escape(name)}" data-bytes="{len(content)}">'
        f"{base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()}</script>"
        for name, content in inline.items()
    ]
    return "\n".join(blocks) + "\n"


def _in_order(modules: Mapping[str, str]) -> dict[str, str]:
    """Return modules so that each comes after those that it imports."""
    done: dict[str, str] = {}

    def add(name: str) -> None:
        for wanted in re.findall(r"""(?:from|import\() ?"(\.[^"]+)\"""", modules[name]):
            found = _join(name, wanted)
            if found not in done:
                add(found)
        done[name] = modules[name]

    for name in modules:
        if name not in done:
            add(name)
    return done


def _join(name: str, relative: str) -> str:
    """Return the place that a relative one means in the file ``name``."""
    parts = name.split("/")[:-1]
    for part in relative.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _walk(folder: Traversable, under: str = "") -> dict[str, bytes]:
    """Return the files for the browser in a folder and those below it, by their places."""
    found: dict[str, bytes] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found |= _walk(entry, f"{under}{entry.name}/")
        elif entry.name.endswith(OWN) and entry.name not in ("one-file.js", "many-files.js"):
            found[f"{under}{entry.name}"] = entry.read_bytes()
    return found


def _read(name: str) -> str:
    return resources("figment.page").joinpath(name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
