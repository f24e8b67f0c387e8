"""A small server that answers as the Hub does to who makes, fills, lists and fetches a repository."""

from __future__ import annotations

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler
from typing import ClassVar
from urllib.parse import unquote

TOKEN = "hf_stand_in"


class Hub(BaseHTTPRequestHandler):
    """Repositories of models and Spaces, by (kind, name), each a commit of files."""

    repositories: ClassVar[dict[tuple[str, str], dict[str, bytes]]] = {}
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        parts = self._parts()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer({"error": "no right to write"}, 401)
        elif parts[:3] == ["api", "repos", "create"]:
            asked = json.loads(body)
            kind = asked.get("type", "model")
            name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            self.repositories.setdefault((kind, name), {})
            prefix = {"space": "spaces/"}.get(kind, "")
            self._answer({"url": f"{self._host()}/{prefix}{name}"})
        elif parts[4:5] == ["preupload"]:
            files = json.loads(body)["files"]
            mode = {"uploadMode": "regular", "shouldIgnore": False}
            small = [{"path": file["path"], **mode} for file in files]
            self._answer({"files": small})
        elif parts[4:5] == ["commit"]:
            name = "/".join(parts[2:4])
            kept = self.repositories[parts[1].removesuffix("s"), name]
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    kept[line["value"]["path"]] = content
            self._answer({"commitUrl": f"{self._host()}/{name}/commit/1", "commitOid": "1" * 40})
        else:  # what is only checked, such as the card's front matter
            self._answer({"errors": [], "warnings": []})

    def do_GET(self) -> None:
        parts = self._parts()
        if parts[:2] == ["api", "models"]:
            self._list("/".join(parts[2:4]), tree="tree" in parts)
        else:
            self._file("/".join(parts[:2]), "/".join(parts[4:]))

    do_HEAD = do_GET

    def _list(self, name: str, *, tree: bool) -> None:
        files = self.repositories.get(("model", name))
        if files is None:
            self._answer({"error": "Repository not found"}, 404, "RepoNotFound")
        elif tree:
            self._answer(
                [
                    {"type": "file", "path": path, "size": len(data), "oid": _sum(data)}
                    for path, data in files.items()
                ]
            )
        else:
            siblings = [{"rfilename": path} for path in files]
            self._answer({"id": name, "sha": "1" * 40, "siblings": siblings})

    def _file(self, name: str, path: str) -> None:
        data = self.repositories.get(("model", name), {}).get(path)
        if data is None:
            self._answer({"error": "Entry not found"}, 404, "EntryNotFound")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{_sum(data)}"')
        self.send_header("X-Repo-Commit", "1" * 40)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _parts(self) -> list[str]:
        self.asked.append(f"{self.command} {self.path}")
        return unquote(self.path.partition("?")[0]).strip("/").split("/")

    def _host(self) -> str:
        return f"http://{self.headers['Host']}"

    def _answer(self, value: object, status: int = 200, code: str = "") -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
