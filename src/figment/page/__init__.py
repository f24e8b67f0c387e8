"""The page that shows generators: one for a site, a single file and a server.

A site is a folder of plain files, and ``site`` returns those that are the page's own:

    index.html                        the page, with its config inside
    manifest.webmanifest, icon.svg    for those who install it
    service-worker.js                 for those who are offline
    page/...                          style and ES modules

Beside them lie what the exporter adds:

    models/NAME/model.json            what NAME is and how it is drawn from
    models/NAME/generator.onnx        and mapping.onnx where it has styles, as model.json names them
    runtime/...                       onnxruntime-web, as ``config["runtime"]`` names it

A single file has the same files inside it (``page`` with ``inline``), and a server answers for the models
itself, so it needs no runtime.
"""

from __future__ import annotations

from figment.page.assembly import RUNTIME, files, manifest, page, site
from figment.page.style import palette

__all__ = ["RUNTIME", "files", "manifest", "page", "palette", "site"]
