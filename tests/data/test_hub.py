"""``hf:`` against a small server on this machine that answers as the Hub does; no network."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from figment.data import hub, sources
from figment.errors import UserError

pytest.importorskip("huggingface_hub")
pa = pytest.importorskip("pyarrow")
COMMIT = "1" * 40


def png(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def shard(numbers: range) -> bytes:
    from pyarrow import parquet

    names = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}, "image": {"_type": "Image"}}
    pictures = pa.array([{"bytes": png(n), "path": f"{n}.png"} for n in numbers])
    table = pa.table({"image": pictures, "label": pa.array([n % 2 for n in numbers])})
    about = json.dumps({"info": {"features": names}})
    data = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({"huggingface": about}), data)
    return data.getvalue()


class Hub(BaseHTTPRequestHandler):
    """The part of the Hub's interface that a download takes: the list of a repository, its files."""

    sets: ClassVar[dict[tuple[str, str], dict[str, bytes]]] = {}
    gated: ClassVar[set[str]] = set()
    cut: ClassVar[int] = 0  # answers that end half-way, from now on
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        parts = unquote(self.path.partition("?")[0]).strip("/").split("/")
        if parts[:2] == ["api", "datasets"]:
            revision = "/".join(parts[5:]) or "main"
            self._list("/".join(parts[2:4]), revision, tree=parts[4:5] == ["tree"])
        else:
            self._file("/".join(parts[1:3]), "/".join(parts[5:]))

    do_HEAD = do_GET

    def _list(self, repo: str, revision: str, *, tree: bool) -> None:
        files = self.sets.get((repo, revision))
        if revision == COMMIT:
            files = {name: data for own in self._all(repo) for name, data in own.items()}
        if files is None:
            known = any(repo == name for name, _ in self.sets)
            return self._refuse(404, "RevisionNotFound" if known else "RepoNotFound")
        if tree:
            lines = [
                {
                    "type": "file",
                    "path": name,
                    "size": len(data),
                    "oid": hashlib.sha1(data).hexdigest(),
                }
                for name, data in files.items()
            ]
            self._answer(json.dumps(lines).encode())
            return None
        siblings = [{"rfilename": name} for name in files]
        self._answer(json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings}).encode())
        return None

    def _file(self, repo: str, name: str) -> None:
        found = [files[name] for files in self._all(repo) if name in files]
        if repo in self.gated:
            return self._refuse(403, "GatedRepo")
        if not found:
            return self._refuse(404, "EntryNotFound")
        self._answer(found[0], tag=hashlib.sha256(found[0]).hexdigest())
        return None

    def _all(self, repo: str) -> list[dict[str, bytes]]:
        return [files for (known, _), files in self.sets.items() if known == repo]

    def _answer(self, body: bytes, tag: str = "") -> None:
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if tag:
            self.send_header("ETag", f'"{tag}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "HEAD":
            return
        if tag and type(self).cut:
            type(self).cut -= 1
            self.wfile.write(body[start : len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body[start:])

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def server(monkeypatch):
    """The stand-in, and nothing remembered of other tests."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{served.server_port}")
    monkeypatch.setattr(Hub, "sets", {})
    monkeypatch.setattr(Hub, "gated", set())
    Hub.asked.clear()
    hub.fetched.cache_clear()
    yield served
    served.shutdown()
    served.server_close()


def test_the_train_split_of_a_parquet_set(own_cache):
    Hub.sets["me/cats", "main"] = {
        "README.md": b"cats",
        "data/train-00000-of-00002.parquet": shard(range(3)),
        "data/train-00001-of-00002.parquet": shard(range(3, 6)),
        "data/test-00000-of-00001.parquet": shard(range(6, 8)),
    }
    found = sources.find_pictures("hf:me/cats")
    assert (len(found), found.classes, found.labels.tolist()) == (6, ("cat", "dog"), [0, 1] * 3)
    assert [sources.read(found, i) for i in range(6)] == [png(i) for i in range(6)]
    assert sources.name_of("hf:me/cats:test@main") == "cats"
    assert not any("test-" in path or "README" in path for path in Hub.asked)

    test = sources.find_pictures("hf:me/cats:test")
    assert [sources.read(test, i) for i in range(2)] == [png(6), png(7)]
    with pytest.raises(UserError, match="there is no part dev, its parts are train and test"):
        sources.find_pictures("hf:me/cats:dev")
    assert all(path.is_relative_to(own_cache) for path in (found.root, test.root))


def test_what_was_fetched_once_is_there_without_a_network(server):
    Hub.sets["me/cats", "main"] = {"train.parquet": shard(range(2))}
    root = sources.find_pictures("hf:me/cats").root
    hub.fetched.cache_clear()
    before = len(Hub.asked)
    assert hub.fetched("hf:me/cats") == root
    assert not any("resolve" in path for path in Hub.asked[before:])  # only the list, no file again
    server.shutdown()
    server.server_close()
    hub.fetched.cache_clear()
    assert hub.fetched("hf:me/cats") == root
    with pytest.raises(UserError, match=r"hf:me/dogs cannot be fetched: no connection to http"):
        hub.fetched("hf:me/dogs")


def test_a_set_of_picture_files_in_folders():
    Hub.sets["me/pets", "main"] = {
        "train/cat/[1].png": png(1),
        "train/dog/2.jpg": png(2),
        "valid/dog/3.png": png(3),
        "script.py": b"raise SystemExit",
    }
    found = sources.find_pictures("hf:me/pets")
    assert (found.files, found.classes) == (
        ["train/cat/[1].png", "train/dog/2.jpg"],
        ("cat", "dog"),
    )
    assert sources.read(found, 0) == png(1)
    assert not any("script" in path for path in Hub.asked)


def test_a_set_without_either_is_read_as_the_hub_converted_it():
    Hub.sets["me/old", "main"] = {"old.tar": b"", "old.py": b""}
    with pytest.raises(UserError, match="holds neither Parquet nor picture files"):
        sources.find_pictures("hf:me/old")
    Hub.sets["me/old", "refs/convert/parquet"] = {"default/train/0000.parquet": shard(range(2))}
    assert len(sources.find_pictures("hf:me/old")) == 2


def test_of_several_sets_in_one_repository_one_is_named():
    files = {f"{name}/train-0.parquet": shard(range(k)) for k, name in ((2, "full"), (3, "small"))}
    Hub.sets["me/both", "main"] = files
    with pytest.raises(UserError, match=r"several sets, full and small: name one, hf:me/both:full"):
        sources.find_pictures("hf:me/both")
    assert len(sources.find_pictures("hf:me/both:small")) == 3
    assert len(sources.find_pictures("hf:me/both:full/train")) == 2


def test_a_download_that_is_cut_off_goes_on():
    Hub.sets["me/cats", "main"] = {"train.parquet": shard(range(40))}
    Hub.cut = 1
    assert len(sources.find_pictures("hf:me/cats")) == 40
    assert Hub.cut == 0


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("hf:me/nothing", "there is no data set me/nothing on the Hub, or it is private"),
        ("hf:me/closed", "hf:me/closed is open only to those who ask for it: accept its terms"),
        ("hf:me/closed@old", "me/closed has no revision old: leave it out"),
        ("hf:closed", "'hf:closed' is no data set: write hf:owner/name"),
        ("hf:../../etc/passwd", "is no data set: write hf:owner/name"),
    ],
)
def test_refusals_are_one_line_with_the_cure(source, answer):
    Hub.sets["me/closed", "main"] = {"train.parquet": b""}
    Hub.gated.add("me/closed")
    with pytest.raises(UserError, match=answer) as caught:
        sources.find_pictures(source)
    assert "\n" not in str(caught.value)


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"pip install 'figment-gan\[datasets\]'"):
        sources.find_pictures("hf:me/cats")
