"""onnxruntime-web: fetched once, whatever is not pinned refused, offline one line with the cure."""

from __future__ import annotations

import runpy
import urllib.request

import pytest

from figment.errors import UserError
from figment.export import runtime


def test_a_package_at_hand_is_kept_in_the_cache(package, tmp_path, monkeypatch):
    module, wasm, _ = runtime.WASM
    found = runtime.files_of(runtime.WASM, package)
    assert found == {name: f"the bytes of {name}".encode() for name in (module, wasm)}
    package.unlink()
    assert runtime.files_of(runtime.WASM) == found
    assert len(runtime.files_of(runtime.WEBGPU)) == 2
    kept = tmp_path / "cache/runtime" / f"onnxruntime-web-{runtime.VERSION}"
    (kept / wasm).write_bytes(b"something else")
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(UserError, match="could not be fetched"):  # never what is not pinned
        runtime.files_of(runtime.WASM)


def test_it_is_fetched_where_there_is_a_network(package, monkeypatch):
    asked: list[str] = []

    def answer(url, timeout):
        asked.append(url)
        return Answer(package.open("rb"))

    class Answer:
        def __init__(self, file):
            self.headers = {"Content-Length": "10"}
            self.read = file.read
            self.close = file.close

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.close()

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    assert len(runtime.files_of(runtime.WASM)) == 2
    assert len(runtime.files_of(runtime.WASM)) == 2
    assert asked == [runtime.URL]


def test_without_a_network_one_line_names_the_cure(package, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(UserError) as caught:
        runtime.files_of(runtime.WASM)
    assert f"curl -fLO {runtime.URL}; then add --runtime" in str(caught.value)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv(runtime.VARIABLE, str(package))
    assert len(runtime.files_of(runtime.WASM)) == 2


def test_another_file_and_none_are_refused(package):
    other = package.with_name("other.tgz")
    other.write_bytes(package.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"is not onnxruntime-web .* \(another SHA-256"):
        runtime.files_of(runtime.WASM, other)
    with pytest.raises(UserError, match=r"nowhere\.tgz cannot be read"):
        runtime.files_of(runtime.WASM, package.with_name("nowhere.tgz"))


def test_as_a_program_it_fetches_or_says_why_not(package, monkeypatch, capsys):
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(runtime.__file__), run_name="__main__")
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("figment: a page needs onnxruntime-web")


def test_licence_and_notices_come_with_it():
    found = runtime.notices()
    assert found["LICENSE"].startswith(b"MIT License")
    assert b"Microsoft" in found["LICENSE"]
    assert len(found["ThirdPartyNotices.txt"]) > 100_000


def refuse(*_, **__):
    raise OSError("no route to host")
